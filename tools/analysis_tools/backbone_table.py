"""Measure the backbones of docs/backbones.md, and write their table there.

    python tools/analysis_tools/backbone_table.py

Parameters are those of the whole model: backbone, neck and head. Operations are
multiply-adds (which papers call flops) of one image of 256 × 128. Images/s are batches
of 16 through the network on one thread, per second of CPU time, so that what other
programs on the machine take does not count. They are measured three times: as PyTorch
does by default, with memory kept by the allocator, and with channels last, too. The
layout that the network gets by default is set in bold.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmreid_cc.allocator import keep_freed_memory
from mmreid_cc.models.computation import prefers_channels_last
from mmreid_cc.registry import MODELS

ROOT = Path(__file__).parents[2]
IMAGE_SIZE = (256, 128)
BATCH_SIZE = 16
CODE = re.compile(r'```python\n(.*?)```', re.S)
TABLE = re.compile(
    r'(?<=backbone_table.py -->\n).*?(?=<!-- End of the table -->)', re.S
)
HEADER = """\
| | output | parameters, M | multiply-adds, G | images/s | memory kept | channels last |
|---|---|---|---|---|---|---|
"""


def read_configs(page: str) -> dict[str, Config]:
    """Read the configs on a page of the documentation.

    Args:
        page: Markdown with a heading ``### name`` above each block of Python, whose
            ``_base_`` is in ``configs/``.

    Returns:
        The configs, by name.
    """
    configs = {}
    with tempfile.TemporaryDirectory() as folder:
        for section in page.split('\n### ')[1:]:
            name, text = section.split('\n', 1)
            (code, *_) = CODE.findall(text)
            file = Path(folder) / 'config.py'
            file.write_text(code.replace("_base_ = '", f"_base_ = '{ROOT}/configs/"))
            configs[name] = Config.fromfile(file)
    return configs


def build(config: Config) -> nn.Module:
    """Build the model of a config with random weights, for testing."""
    config.model.backbone.init_cfg = None  # nothing is downloaded
    init_default_scope('mmreid_cc')
    return MODELS.build(config.model).eval()


def multiply_adds(model: nn.Module, images: torch.Tensor) -> int:
    """Count the multiplications, each with an addition, of convolutions and products.

    Args:
        model: in test mode.
        images: (B, 3, H, W).

    Returns:
        The number for all B images.
    """
    # The counter does not know the fused attention of CPUs.
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        model(images, mode='tensor')
    return counter.get_total_flops() // 2


def images_per_second(model: nn.Module, seconds: float) -> float:
    """Measure the rate at which images pass a model on one thread.

    Args:
        model: in test mode.
        seconds: the least CPU time of the measurement.

    Returns:
        Images per second of CPU time.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    images = torch.randn(BATCH_SIZE, 3, *IMAGE_SIZE)
    model(images[:1], mode='tensor')
    begin, batches = time.process_time(), 0
    while time.process_time() - begin < seconds:
        model(images, mode='tensor')
        batches += 1
    elapsed = time.process_time() - begin
    torch.set_num_threads(threads)
    return batches * BATCH_SIZE / elapsed


def output_shape(model: nn.Module, images: torch.Tensor) -> str:
    """Describe the backbone's output: ``'map 2048 × 16 × 8'`` or ``'vector 192'``."""
    features = model.extract_feat(images, stage='backbone')[-1]
    kind = 'map' if features.ndim == 4 else 'vector'
    return f'{kind} {" × ".join(map(str, features.shape[1:]))}'


@torch.inference_mode()
def describe(model: nn.Module) -> list[str]:
    """Return output, parameters and multiply-adds of a model."""
    image = torch.randn(1, 3, *IMAGE_SIZE)
    return [
        output_shape(model, image),
        f'{sum(p.numel() for p in model.parameters()) / 1e6:.2f}',
        f'{multiply_adds(model, image) / 1e9:.2f}',
    ]


@torch.inference_mode()
def rates(model: nn.Module, seconds: float) -> list[str]:
    """Return images per second with channels first and last, the default in bold."""
    last = prefers_channels_last(model)
    cells = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        model.to(memory_format=memory_format)
        rate = f'{images_per_second(model, seconds):.0f}'
        is_default = last == (memory_format == torch.channels_last)
        cells.append(f'**{rate}**' if is_default else rate)
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--page', type=Path, default=ROOT / 'docs' / 'backbones.md')
    parser.add_argument('--seconds', type=float, default=5, help='time to measure each')
    args = parser.parse_args()
    page = args.page.read_text(encoding='utf-8')
    configs = read_configs(page)
    before: dict[str, str] = {}
    lines = []
    with torch.inference_mode():
        for name, config in configs.items():  # before the allocator is changed
            rate = images_per_second(build(config), args.seconds)
            before[name] = f'{rate:.0f}'
    if not keep_freed_memory():
        raise SystemExit('The allocator of this system cannot be set up.')
    for name, config in configs.items():
        model = build(config)
        cells = [*describe(model), before[name], *rates(model, args.seconds)]
        lines.append(f'| {" | ".join([name, *cells])} |\n')
        print(lines[-1], end='', flush=True)
    table = HEADER + ''.join(lines)
    args.page.write_text(TABLE.sub(lambda _: table, page), encoding='utf-8')


if __name__ == '__main__':
    main()
