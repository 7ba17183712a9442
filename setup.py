"""Package mmreid-cc."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
# What OpenMMLab's tools look for in `<package>/.mim`: `mim train mmreid_cc ...`, and
# configs that inherit from `mmreid_cc::...`.
MIM = {
    'configs': 'configs',
    'tools': 'tools',
    'model-index.yml': 'configs/model-index.yml',
}


class BuildWithMim(build_py):
    """Pack configs and tools; link them where the package is installed editable."""

    def run(self):
        super().run()
        package = ROOT if self.editable_mode else Path(self.build_lib)
        mim = package / 'mmreid_cc' / '.mim'
        shutil.rmtree(mim, ignore_errors=True)
        mim.mkdir()
        for name, source in MIM.items():
            if self.editable_mode:
                (mim / name).symlink_to(ROOT / source)
            elif (ROOT / source).is_dir():
                copy_folder(ROOT / source, mim / name)
            else:
                shutil.copy(ROOT / source, mim / name)

    def get_outputs(self, include_bytecode=True):
        mim = Path(self.build_lib, 'mmreid_cc', '.mim')
        packed = [str(path) for path in mim.rglob('*') if path.is_file()]
        return super().get_outputs(include_bytecode) + packed


class SourceWithAll(sdist):
    """What a wheel is built from, beside the modules."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for folder in ('configs', 'tools', 'requirements'):
            copy_folder(ROOT / folder, Path(base_dir, folder))


def copy_folder(source, target):
    caches = shutil.ignore_patterns('__pycache__', '.*')
    shutil.copytree(source, target, ignore=caches, dirs_exist_ok=True)


def requirements(name: str) -> list[str]:
    return (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()


version = re.findall(r"'(.+)'", (ROOT / 'mmreid_cc' / 'version.py').read_text())[0]
extras = {
    name: requirements(name)
    for name in (
        *('mm', 'infomap', 'video', 'lancedb', 'ray'),
        *('demo', 'deploy', 'docs', 'extra', 'dev'),
    )
}
extras['all'] = [line for lines in extras.values() for line in lines]
extras['release'] = requirements('release')

setup(
    name='mmreid-cc',
    version=version,
    description='Cluster Contrast for unsupervised re-identification on OpenMMLab',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11',
    packages=find_packages(include=['mmreid_cc*']),
    package_data={'mmreid_cc': ['py.typed']},
    install_requires=requirements('runtime'),
    extras_require=extras,
    cmdclass={'build_py': BuildWithMim, 'sdist': SourceWithAll},
)
