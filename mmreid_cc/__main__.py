"""``python -m mmreid_cc --version``."""

import argparse

from . import __version__


def main() -> None:
    """Print the version."""
    parser = argparse.ArgumentParser(
        prog='python -m mmreid_cc',
        description='Cluster Contrast for unsupervised re-identification. The programs '
        'are in tools/: train.py, test.py, cluster_folder.py and others.',
    )
    parser.add_argument('--version', action='version', version=__version__)
    parser.parse_args()
    parser.print_help()


if __name__ == '__main__':
    main()
