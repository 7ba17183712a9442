"""Cluster Contrast for unsupervised re-identification, as an OpenMMLab plugin."""

from importlib.util import find_spec

from .version import __version__

_missing = [name for name in ('mmengine', 'mmcv', 'mmpretrain') if not find_spec(name)]
if _missing:
    raise ImportError(
        f'mmreid_cc needs {", ".join(_missing)}. Install the maintained builds with '
        '`pip install "mmreid-cc[mm]"`, or the classic packages of the same import '
        'names (README.md, "Install").'
    )

__all__ = ['__version__']
