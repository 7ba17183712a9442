import io
import sys

import pytest

from mmreid_cc.clustering.progress import track


class Terminal(io.StringIO):
    def isatty(self):
        return True


def watch(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', Terminal())
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('RANK', raising=False)
    return sys.stderr


def test_people_see_the_stage(monkeypatch, capsys):
    terminal = watch(monkeypatch)
    assert list(track(iter('abc'), 'neighbours', total=3)) == ['a', 'b', 'c']
    assert 'neighbours' in terminal.getvalue()
    assert '100%' in terminal.getvalue()
    assert capsys.readouterr().out == ''


def test_files_and_other_ranks_see_nothing(monkeypatch):
    terminal = watch(monkeypatch)
    steps = range(3)
    monkeypatch.setenv('RANK', '1')
    assert track(steps, 'neighbours', total=3) is steps
    assert terminal.getvalue() == ''
    monkeypatch.delenv('RANK')
    monkeypatch.setattr(sys, 'stderr', io.StringIO())
    assert track(steps, 'neighbours', total=3) is steps


def test_an_error_leaves_the_terminal_in_order(monkeypatch):
    terminal = watch(monkeypatch)

    def steps():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(track(steps(), 'distance', total=2))
    assert terminal.getvalue().rstrip().endswith('\x1b[2K')  # the bar is wiped
    assert '\x1b[?25h' in terminal.getvalue()  # the cursor is back
