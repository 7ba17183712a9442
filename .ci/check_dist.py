"""See that the archives in a folder hold what they should, and that the wheel works.

``make dist`` runs it. The wheel is installed into an environment of its own, in which a
network of random weights is tested on drawn pedestrians.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKED = ('configs', 'tools')  # into mmreid_cc/.mim
CHECK = """
import torch
from mmengine.config import Config
from mmreid_cc.apis import ReIDInferencer
from mmreid_cc.apis.model import scope_of
from mmreid_cc.registry import MODELS

cfg = Config.fromfile('{configs}/cc_r18_synthetic.py')
with scope_of(cfg):
    torch.save(MODELS.build(cfg.model).state_dict(), 'random.pth')
"""


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    (wheel,) = folder.glob('*.whl')
    (sdist,) = folder.glob('*.tar.gz')
    tracked = subprocess.check_output(['git', 'ls-files'], cwd=ROOT, text=True)
    files = [file for file in tracked.splitlines() if (ROOT / file).exists()]

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {file for file in files if file.startswith('mmreid_cc/')}
    expected |= {f'mmreid_cc/.mim/{f}' for f in files if f.split('/')[0] in PACKED}
    compare(wheel, expected, {n for n in names if '.dist-info/' not in n})

    with tarfile.open(sdist) as archive:
        names = {member.partition('/')[2] for member in archive.getnames()}
    expected = {f for f in files if f.split('/')[0] in ('mmreid_cc', 'requirements')}
    expected |= {f for f in files if f.split('/')[0] in PACKED}
    expected |= {'LICENSE', 'README.md', 'setup.py'}
    missing = expected - names
    if missing:
        sys.exit(f'{sdist.name} lacks {sorted(missing)}')

    with tempfile.TemporaryDirectory() as environment:
        use(wheel, Path(environment))


def compare(archive: Path, expected: set[str], found: set[str]) -> None:
    """End with an error if files are missing or left over."""
    extra = {'mmreid_cc/.mim/model-index.yml'}
    if expected | extra != found | extra:
        missing, more = sorted(expected - found), sorted(found - expected - extra)
        sys.exit(f'{archive.name}: missing {missing}, not expected {more}')
    print(f'{archive.name}: {len(found)} files, as in the repository')


def use(wheel: Path, environment: Path) -> None:
    """Install the wheel into a fresh environment, and run a tool from it."""
    python = environment / 'bin' / 'python'

    def run(*command: object) -> None:
        subprocess.run([*map(str, command)], cwd=environment, check=True)

    run(sys.executable, '-m', 'venv', environment)
    pinned = ROOT / 'requirements' / 'constraints.txt'
    pip = python, '-m', 'pip', 'install', '--quiet', '--constraint', pinned
    run(*pip, f'{wheel}[mm]')
    run(python, '-m', 'pip', 'check')
    run(python, '-m', 'mmreid_cc', '--version')
    (mim,) = environment.glob('lib/python*/site-packages/mmreid_cc/.mim')
    run(python, '-c', CHECK.format(configs=mim / 'configs'))
    config = mim / 'configs' / 'cc_r18_synthetic.py'
    run(python, mim / 'tools' / 'test.py', config, 'random.pth')


if __name__ == '__main__':
    main()
