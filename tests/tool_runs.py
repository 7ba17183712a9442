"""Run a tool as the command line does, in a process of its own, but start it fast.

A server process has imported the libraries and forks for every run.
"""

import multiprocessing
import os
import runpy
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SERVED = multiprocessing.get_context('forkserver')
_SERVED.set_forkserver_preload(['mmpretrain', 'mmreid_cc.engine', 'mmreid_cc.registry'])


def run_tool(tool, *arguments, cwd, timeout=300):
    """Run ``tools/<tool>``; modules in ``tests/`` can be imported by its config.

    Args:
        tool (str): Path below ``tools/``, e.g. ``'train.py'``.
        *arguments: Of the command.
        cwd (Path): Working directory.
        timeout (int): Seconds, after which it is killed.

    Returns:
        tuple[int, str]: Exit status, −9 if it was killed; what it printed.
    """
    with tempfile.NamedTemporaryFile('r', suffix='.txt') as output:
        argv = [str(ROOT / 'tools' / tool), *map(str, arguments)]
        process = _SERVED.Process(target=_run, args=(argv, str(cwd), output.name))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode, output.read()


def run_script(script, *arguments, cwd, timeout=300):
    """Run a shell script of ``tools/`` as a user would, with an environment like this.

    Modules in ``tests/`` can be imported by its config.

    Args:
        script (str): E.g. ``'dist_train.sh'``.
        *arguments: Of the command.
        cwd (Path): Working directory.
        timeout (int): Seconds, after which it raises.

    Returns:
        tuple[int, str]: Exit status; what it printed.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])
    imports = [path for path in sys.path if path.startswith(str(ROOT / 'tests'))]
    done = subprocess.run(
        [ROOT / 'tools' / script, *map(str, arguments)],
        cwd=cwd,
        env={
            **os.environ,
            'PATH': path,
            'PYTHONPATH': os.pathsep.join([str(ROOT / 'tests'), *imports]),
            'PORT': str(unused_port()),
            'OMP_NUM_THREADS': '1',
        },
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def unused_port():
    """A port below those that the system hands out, so that nothing takes it meanwhile.

    Test processes that run at the same time look in different places.
    """
    for port in range(10000 + os.getpid() * 7 % 20000, 32768):
        with socket.socket() as candidate:
            if candidate.connect_ex(('127.0.0.1', port)):
                return port
    raise OSError('no port is free')


def _run(argv, cwd, output):
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(cwd)
    sys.argv = argv
    sys.path[0] = os.path.dirname(argv[0])
    sys.path.append(str(ROOT / 'tests'))
    runpy.run_path(argv[0], run_name='__main__')
