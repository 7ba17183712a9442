"""Run a tool as the command line does, in a process of its own, but start it fast.

A server process has the libraries and forks for every run; so it does for the tools
that a tool or a script starts.
"""

import _warnings
import atexit
import multiprocessing
import os
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from functools import cache, partial
from multiprocessing import forkserver, resource_tracker, util
from pathlib import Path
from unittest import mock

from served_python import serve, write_program
from torch.multiprocessing import start_processes

ROOT = Path(__file__).parents[1]
_SERVED = multiprocessing.get_context('forkserver')


def fork_server(filters):
    """Let the server of ``multiprocessing`` be a fork of this process.

    The Python that it is otherwise would import the libraries again, for seconds. It
    must come before the tests are imported, and before they start threads.

    Args:
        filters (list): Those of warnings that are not for the tools.
    """
    resource_tracker.ensure_running()
    with mock.patch.object(util, 'spawnv_passfds', partial(_fork, filters)):
        forkserver.ensure_running()


def _fork(filters, path, arguments, descriptors):
    """Execute the code behind ``-c`` in a fork; in place of ``spawnv_passfds``."""
    sys.stdout.flush()
    sys.stderr.flush()
    if process := os.fork():
        return process
    # Nothing of the parent is kept open: its end must be seen by those it talks to.
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in map(int, os.listdir('/dev/fd')):
        if descriptor > 2 and descriptor not in (nothing, *descriptors):
            os.dup2(nothing, descriptor, inheritable=False)
    # Nothing of pytest is between a tool and what it prints.
    of_libraries = [entry for entry in warnings.filters if entry not in filters]
    warnings.resetwarnings()
    warnings.filters += [*of_libraries, *_warnings.filters]  # and as Python starts
    sys.stdout = os.fdopen(1, 'w', closefd=False)
    sys.stderr = os.fdopen(2, 'w', 1, errors='backslashreplace', closefd=False)
    sys.unraisablehook = sys.__unraisablehook__
    threading.excepthook = threading.__excepthook__
    forkserver._forkserver.__init__()  # its lock is held
    try:
        exec(arguments[-1])
    except Exception:
        traceback.print_exc()
        os._exit(1)
    finally:
        os._exit(0)  # it ends by SystemExit


@cache
def start_server():
    """Start a second server, for scripts and for tools that a tool or a script starts.

    Returns:
        str: A program in place of Python, which runs a script or torchrun.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    program = write_program(folder)
    server = _SERVED.Process(target=serve, args=(str(folder), _run, os.getpid()))
    server.start()
    server.join()
    return str(program)


def run_tool(tool, *arguments, cwd, processes=1, timeout=300):
    """Run ``tools/<tool>``; modules in ``tests/`` can be imported by its config.

    Args:
        tool (str): Path below ``tools/``, e.g. ``'train.py'``.
        *arguments: Of the command.
        cwd (Path): Working directory.
        processes (int): More than one form a group, as the launcher makes them.
        timeout (int): Seconds, after which it is killed.

    Returns:
        tuple[int, str]: Exit status, −9 if it was killed, of several processes that of
        the first that failed; what they printed.
    """
    argv = [str(ROOT / 'tools' / tool), *map(str, arguments)]
    ranks = [dict(PYTHON_EXEC=start_server())]
    if processes > 1:
        argv += ['--launcher', 'pytorch']
        group = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(unused_port()))
        group['WORLD_SIZE'] = str(processes)
        ranks = [dict(group, RANK=str(r), LOCAL_RANK=str(r)) for r in range(processes)]
    with tempfile.NamedTemporaryFile('r', suffix='.txt') as output:
        started = [
            _SERVED.Process(target=_run, args=(argv, str(cwd), rank, [output.name] * 2))
            for rank in ranks
        ]
        for process in started:
            process.start()
        end = time.monotonic() + timeout
        for process in started:
            process.join(max(0, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
        failed = [process.exitcode for process in started if process.exitcode]
        return failed[0] if failed else 0, output.read()


def run_ranks(function, arguments, processes):
    """Call ``function(rank, *arguments)`` in so many processes, and wait for them."""
    start_processes(function, arguments, processes, start_method='forkserver')


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
    program = start_server()
    folders = [str(Path(file).parent) for file in (program, sys.executable)]
    done = subprocess.run(
        [ROOT / 'tools' / script, *map(str, arguments)],
        cwd=cwd,
        env={
            **os.environ,
            'PATH': os.pathsep.join([*folders, os.environ['PATH']]),
            'PYTHONPATH': _imports(),
            'PORT': str(unused_port()),
            'OMP_NUM_THREADS': '1',
            'PYTHON_EXEC': program,  # in place of Python, for the processes
            'PYTHONFAULTHANDLER': '1',  # a crash says where
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


def _imports():
    """PYTHONPATH for processes that import what is in ``tests/``."""
    inherited = os.environ.get('PYTHONPATH')
    return os.pathsep.join([str(ROOT / 'tests'), *([inherited] if inherited else [])])


def _run(argv, cwd, environment, outputs):
    """Run a tool in this process, which was forked for it."""
    os.environ.update(environment, PYTHONPATH=_imports())
    # Not those of the server: its folder for sockets, and Ctrl-C, which it ignores.
    multiprocessing.current_process()._config.pop('tempdir', None)
    tempfile.tempdir = None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.executable = os.environ.get('PYTHON_EXEC', sys.executable)
    multiprocessing.set_start_method(None, force=True)  # not the server's
    for descriptor, output in enumerate(outputs, start=1):
        os.dup2(os.open(output, os.O_WRONLY | os.O_APPEND), descriptor)
    os.chdir(cwd)
    sys.path.insert(0, os.path.dirname(argv[0]))
    sys.path.append(str(ROOT / 'tests'))
    if argv[0] == '-m':
        sys.argv = argv[1:]
        runpy.run_module(argv[1], run_name='__main__', alter_sys=True)
    else:
        sys.argv = argv
        runpy.run_path(argv[0], run_name='__main__')
