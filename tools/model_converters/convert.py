"""Convert weights of other re-ID programs to mmreid_cc, or back to the reference.

    python tools/model_converters/convert.py cluster-contrast \
        model_best.pth.tar r50.pth --config configs/cc_r50_market.py
    python tools/test.py configs/cc_r50_market.py r50.pth

The output is a checkpoint for ``tools/test.py`` or ``load_from``. If it has weights of
a backbone only, use it with
``init_cfg=dict(type='Pretrained', checkpoint='r50.pth', prefix='backbone.')``.
``to-cluster-contrast`` writes a checkpoint for the reference's ``examples/test.py``.

Unknown keys of the source are an error that lists them; ``--ignore`` leaves out keys
that match a regular expression. With ``--config``, the weights are also loaded into its
model, and must be complete.
"""

import argparse
from pathlib import Path

from key_mapping import (
    Conversion,
    check_weights,
    convert_keys,
    load_weights,
    save_checkpoint,
)
from key_tables import TABLES
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmreid_cc
from mmreid_cc.atomic_writing import check_writable
from mmreid_cc.registry import MODELS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'source', choices=sorted(TABLES), help='program that the checkpoint comes from'
    )
    parser.add_argument('checkpoint', type=Path, help='checkpoint of that program')
    parser.add_argument('out', type=Path, help='file to write')
    parser.add_argument('--config', help='config whose model the weights must fit')
    parser.add_argument(
        '--ignore',
        nargs='+',
        default=[],
        metavar='KEY_PATTERN',
        help='regular expressions of keys to leave out',
    )
    args = parser.parse_args()
    if args.config and args.source == 'to-cluster-contrast':
        parser.error('--config is only for weights that are converted to mmreid_cc')
    return args


def convert(source: str, path: Path, ignore: list[str]) -> Conversion:
    """Convert the weights of a file, and print the result.

    Args:
        source: a name in ``TABLES``.
        path: file of the source.
        ignore: regular expressions of keys to leave out.

    Returns:
        The renamed weights, and what was left out.

    Raises:
        ValueError: If the file holds unknown keys; the message has its name.
    """
    try:
        conversion = convert_keys(load_weights(path), TABLES[source], ignore)
    except ValueError as error:
        raise ValueError(f'{path} as {source}: {error}') from error
    print(f'{len(conversion.weights)} weights of {path} converted')
    for reason in ('dropped', 'ignored'):
        for key in getattr(conversion, reason):
            print(f'  {reason}: {key}')
    return conversion


def check(conversion: Conversion, config: str) -> None:
    """Load the weights into the model of a config, and print what it still lacks."""
    model = Config.fromfile(config).model
    model.backbone.init_cfg = None  # nothing is downloaded
    init_default_scope('mmreid_cc')
    missing = check_weights(conversion.weights, MODELS.build(model))
    for key in missing:
        print(f'  left as initialised: {key}')
    print(f'The weights fit {config}')


def main() -> None:
    args = parse_args()
    conversion = convert(args.source, args.checkpoint, args.ignore)
    weights = conversion.weights
    if args.source == 'to-cluster-contrast':
        # As its trainer writes them: the model in DataParallel, along with numbers.
        weights = {f'module.{key}': value for key, value in weights.items()}
        content = {'state_dict': weights, 'epoch': 0, 'best_mAP': 0.0}
    else:
        if args.config:
            check(conversion, args.config)
        meta = {
            'converted_from': args.source,
            'source_file': args.checkpoint.name,
            'mmreid_cc_version': mmreid_cc.__version__,
        }
        content = {'meta': meta, 'state_dict': weights}
    check_writable(args.out, [args.checkpoint])
    save_checkpoint(args.out, content)
    print(f'Written to {args.out}')


if __name__ == '__main__':
    main()
