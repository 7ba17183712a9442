"""Package mmreid-cc."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(name: str) -> list[str]:
    return (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()


version = re.findall(r"'(.+)'", (ROOT / 'mmreid_cc' / 'version.py').read_text())[0]
extras = {name: requirements(name) for name in ('mm', 'infomap', 'dev')}
extras['all'] = [line for lines in extras.values() for line in lines]

setup(
    name='mmreid-cc',
    version=version,
    description='Cluster Contrast for unsupervised re-identification on OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['mmreid_cc*']),
    install_requires=requirements('runtime'),
    extras_require=extras,
)
