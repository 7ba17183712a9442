"""Run ``demo/app.py`` in a process of its own, started fast."""

import multiprocessing
import os
import runpy
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tool_runs import ROOT, unused_port  # its server process has the libraries

APP = ROOT / 'demo' / 'app.py'
_SERVED = multiprocessing.get_context('forkserver')


@contextmanager
def served_page(*arguments, cwd, timeout=300) -> Iterator[str]:
    """The address of the page while it runs; it is stopped as a service would be."""
    port = unused_port()
    url = f'http://127.0.0.1:{port}'
    argv = [str(APP), *map(str, arguments), '--port', str(port)]
    log = cwd / 'page.log'
    process = _SERVED.Process(target=_run, args=(argv, str(cwd), str(log)))
    process.start()
    try:
        end = time.monotonic() + timeout
        while status_of(url) != 200:
            if not process.is_alive() or time.monotonic() > end:
                raise RuntimeError(f'The page did not start:\n{log.read_text()}')
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.join(60)
        process.kill()


def status_of(url, host=None):
    """The HTTP status of an address, 0 if nothing answers."""
    request = urllib.request.Request(url, headers={'Host': host} if host else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _run(argv, cwd, log):
    file = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(cwd)
    os.environ['TMPDIR'] = cwd
    sys.argv = argv
    sys.path[0] = os.path.dirname(argv[0])
    sys.path.append(str(ROOT / 'tests'))
    runpy.run_path(argv[0], run_name='__main__')
