"""Strip a checkpoint of a training run, and name it by its content.

    python tools/model_converters/publish_model.py epoch_50.pth cc_r50_market.pth

This writes ``cc_r50_market-1b2c3d4e.pth`` with the weights alone, without optimizer,
logs, and the config with its private paths. The digits are the first of the file's
SHA-256 sum, which ``torch.hub`` and MMEngine check after a download.
"""

import argparse
import hashlib
import io
from pathlib import Path

import torch
from key_mapping import load_weights

import mmreid_cc
from mmreid_cc.atomic_writing import replacing


def publish(checkpoint: Path, out: Path) -> Path:
    """Write the weights of a checkpoint.

    Args:
        checkpoint: of MMEngine, or of ``convert.py``.
        out: name without the digits, ``.pth`` at its end.

    Returns:
        The name with the digits.

    Raises:
        ValueError: If the checkpoint cannot be read, or ``out`` has another ending.
    """
    if out.suffix != '.pth':
        raise ValueError(f'{out} must end in .pth')
    weights = load_weights(checkpoint)
    meta = {'mmreid_cc_version': mmreid_cc.__version__}
    content = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': weights}, content)
    digits = hashlib.sha256(content.getvalue()).hexdigest()[:8]
    # A file called as `out` may be the checkpoint itself.
    published = out.with_name(f'{out.stem}-{digits}.pth')
    with replacing(published) as part:
        part.write_bytes(content.getvalue())
    return published


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', type=Path, help='checkpoint of a training run')
    parser.add_argument(
        'out', type=Path, help='output file; a hash is added to its name'
    )
    args = parser.parse_args()
    print(f'Written to {publish(args.checkpoint, args.out)}')


if __name__ == '__main__':
    main()
