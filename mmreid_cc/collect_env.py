"""What a bug report needs to know of a machine: ``python -m mmreid_cc.collect_env``."""

from importlib.metadata import PackageNotFoundError, packages_distributions, version

from mmengine.utils.dl_utils import collect_env as collect_base_env

from . import __version__

# Each of the first three comes from one of two distributions, and both may be there.
MODULES = ('mmengine', 'mmcv', 'mmpretrain')
LIBRARIES = ('numpy', 'scipy', 'scikit-learn', 'numba', 'faiss-cpu', 'faiss-gpu')
EXTRAS = ('infomap', 'av', 'onnxruntime', 'gradio')


def collect_env() -> dict[str, str]:
    """Collect the versions of everything that results may depend on.

    Returns:
        dict[str, str]: Value by name, in the order of MMEngine's function of this name,
        whose entries come first: system, Python, CUDA, GPUs, compiler, PyTorch.

    Example:
        >>> collect_env()['MMPretrain']
        '1.3.6 (onedl-mmpretrain)'
    """
    env = {name: str(value) for name, value in collect_base_env().items()}
    distributions = packages_distributions()
    for module, name in zip(MODULES, ('MMEngine', 'MMCV', 'MMPretrain'), strict=True):
        found = sorted(set(distributions.get(module, ())))
        env[name] = ', '.join(f'{version(d)} ({d})' for d in found) or 'missing'
    for name in (*LIBRARIES, *EXTRAS):
        try:
            env[name] = version(name)
        except PackageNotFoundError:
            continue
    env['mmreid_cc'] = __version__
    return env


def main() -> None:
    """Print the environment."""
    for name, value in collect_env().items():
        print(f'{name}: {value}')


if __name__ == '__main__':
    main()
