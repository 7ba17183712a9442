"""A program that runs scripts and torchrun as Python does, but starts them fast.

Tools start other tools by ``sys.executable``, and torchrun starts its workers by
``PYTHON_EXEC``. Each of these processes would import the libraries for seconds. A small
program in place of Python asks a server that has imported them to fork, passes signals
on to the new process, and ends as it ends.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import socket
import sys
from pathlib import Path

PROGRAM = """#!{python} -IS
import json, os, signal, socket, sys

arguments = [word for word in sys.argv[1:] if word != '-u']
launches = arguments[:2] == ['-m', 'torch.distributed.run']
if not arguments or (arguments[0].startswith('-') and not launches):
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b' '], [1, 2])
server.sendall(json.dumps([arguments, os.getcwd(), dict(os.environ)]).encode() + b'\\n')
answers = server.makefile()
process = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(process, number))
status = int(answers.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_DFL)
if status < 0:
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


def write_program(folder: Path) -> Path:
    """Write the program; :func:`serve` answers it in the same folder."""
    program = folder / 'python'
    address = str(folder / 'server')
    program.write_text(PROGRAM.format(python=sys.executable, address=address))
    program.chmod(0o755)
    return program


def serve(folder: str, run, owner: int) -> None:
    """Fork for every program that asks, as long as the owner runs.

    Args:
        folder: As in :func:`write_program`.
        run: Called in the new process with arguments, working directory, environment,
            and files to print to.
        owner: Process whose end also ends the server.
    """
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f'{folder}/server')
        listening.listen()
        if os.fork():
            return  # nobody waits for the end of the other process
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):  # else a pipe from the tests would stay open
            os.dup2(nothing, descriptor)
        listening.settimeout(5)
        while Path(f'/proc/{owner}').exists():
            try:
                program, _ = listening.accept()
            except TimeoutError:
                continue
            if not os.fork():
                listening.close()
                _answer(program, run)
                os._exit(0)
            program.close()
    os._exit(0)


def _answer(program: socket.socket, run) -> None:
    _, files, _, _ = socket.recv_fds(program, 1, 2)
    argv, cwd, environment = json.loads(program.makefile().readline())
    outputs = [f'/dev/fd/{file}' for file in files]
    context = multiprocessing.get_context('fork')
    process = context.Process(target=run, args=(argv, cwd, environment, outputs))
    process.start()
    program.sendall(b'%d\n' % process.pid)
    multiprocessing.connection.wait([process.sentinel, program])
    process.kill()  # if it still runs, the program was killed
    process.join()
    program.sendall(b'%d\n' % process.exitcode)
