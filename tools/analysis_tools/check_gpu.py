"""Check and measure everything that a GPU does in this package, in one go.

    make check-gpu

This needs one GPU and at most 8 minutes. Images are drawn and weights are random, so
there is nothing to download. Every step is timed, and if one fails, the others still
run. The results are printed as a table, and `--json` writes them to a file. Without a
GPU, everything runs on the CPU in a tiny size, which shows that the steps work, but
measures nothing.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from pathlib import Path

# Before CUDA starts; for the steps in this process as for those in others.
os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')

import torch
from check_steps import Finding, print_steps, run_steps
from gpu_correctness import (
    check_augmentation,
    check_groups,
    check_memory,
    check_search,
    count_synchronisations,
)
from gpu_recipes import FULL, TINY, recipe
from gpu_runs import check_repeatability, measure_run
from gpu_speed import (
    measure_compiled,
    measure_extraction,
    measure_loading,
    measure_search,
    measure_training,
)

from mmreid_cc.registry import DATASETS

_PACKAGES = ('torch', 'mmengine', 'mmcv', 'mmpretrain', 'faiss', 'numpy', 'numba')
_SECONDS = 7.5 * 60  # the last finding may take half a minute
_NEEDS = {'compiled': 120.0}  # one finding, which compiles a whole network first


def versions() -> Iterator[Finding]:
    """Describe the machine and the versions.

    Yields:
        Versions, the GPU, its memory, and the cores of the CPU.
    """
    yield Finding('Python', platform.python_version())
    distributions = metadata.packages_distributions()
    for package in _PACKAGES:
        for distribution in dict.fromkeys(distributions.get(package, ())):
            yield Finding(distribution, metadata.version(distribution))
    yield Finding('CPU', f'{len(os.sched_getaffinity(0))} cores')
    if not torch.cuda.is_available():
        yield Finding('GPU', 'none')
        return
    gpu = torch.cuda.get_device_properties(0)
    yield Finding('GPU', f'{gpu.name}, compute capability {gpu.major}.{gpu.minor}')
    yield Finding('memory of the GPU', gpu.total_memory / 1e9, 'GB')
    yield Finding('GPUs', torch.cuda.device_count())
    yield Finding('CUDA', str(torch.version.cuda))
    yield Finding('cuDNN', str(torch.backends.cudnn.version()))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', type=Path, default='work_dirs/check_gpu.json')
    parser.add_argument('--tiny', action='store_true', help='use sizes that suit a CPU')
    parser.add_argument(
        '--only', nargs='+', metavar='STEP', help='run only these steps'
    )
    args = parser.parse_args()

    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    sizes = TINY if args.tiny or device == 'cpu' else FULL
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps: dict[str, Callable[[], Iterator[Finding]]] = {
            'versions': versions,
            'memory': partial(check_memory, sizes, device),
            'search': partial(check_search, sizes, device),
            'augmentation': partial(check_augmentation, sizes, device),
            'groups': partial(check_groups, sizes, folder),
            'synchronisations': partial(count_synchronisations, sizes, folder),
            'repeatability': partial(check_repeatability, sizes, folder),
            'run': partial(measure_run, sizes, folder),
            'search speed': partial(measure_search, sizes, device),
            'extraction': partial(measure_extraction, sizes, folder),
            'loading': partial(measure_loading, sizes, folder),
            'training': partial(measure_training, sizes, folder),
            'compiled': partial(measure_compiled, sizes, folder),
        }
        if unknown := set(args.only or ()) - set(steps):
            parser.error(f'no step {sorted(unknown)}; there are {list(steps)}')
        chosen = {k: v for k, v in steps.items() if not args.only or k in args.only}
        # Drawn here, once, for all steps and their processes.
        DATASETS.build(dict(recipe(sizes, folder).test_dataloader.dataset, pipeline=[]))
        done = run_steps(chosen, _SECONDS, _NEEDS, args.json)
    print_steps(done)
    raise SystemExit(any(step.status in ('wrong', 'error') for step in done))


if __name__ == '__main__':
    main()
