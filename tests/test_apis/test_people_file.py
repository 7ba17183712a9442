"""One safe file, whole whatever happens, and written by one at a time."""

import json
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from filelock import FileLock
from test_people import World, states

from mmreid_cc.apis import Gallery, People
from mmreid_cc.apis.gallery_file import read_arrays, write_arrays
from mmreid_cc.apis.people_file import ChangedMeanwhileError

_SERVED = multiprocessing.get_context('forkserver')  # faiss does not survive a fork


@pytest.fixture
def file(tmp_path):
    world = World()
    people = People('abc', false_matches=0.5)
    people.assign(**world.day(range(90))[0])
    people.name(3, 'Ann Ö')
    people.save(tmp_path / 'new' / 'people.npz')
    return tmp_path / 'new' / 'people.npz'


def test_what_is_loaded_was_saved(file):
    people = People.load(file)
    assert repr(people) == 'People(90 people, 90 tracks, 0 undecided, model abc)'
    assert people.false_matches == 0.5
    assert people.names == {3: 'Ann Ö'}
    before = states(people)
    people.save(file)
    assert states(People.load(file)) == before
    np.load(file, allow_pickle=False)['embeddings']  # without this library
    portion = World(seed=1).day(range(90))[0]
    again = People.load(file)
    for one in (people, again):
        one.assign(**portion)
    assert states(one) == states(people)
    assert People.load(file)._next == 90


def test_the_second_of_two_writers_is_told(file):
    one, other = People.load(file), People.load(file)
    one.name(4, 'Bob')
    one.save(file)
    other.name(4, 'Carl')
    with pytest.raises(ChangedMeanwhileError, match=r'revision 2, read was 1.*Read it'):
        other.save(file)
    assert People.load(file).names[4] == 'Bob'
    one.name(4, 'Dan')
    one.save(file)  # who saved last may go on
    assert People.load(file).names[4] == 'Dan'
    fresh = People()
    fresh.assign(**World().day(range(90))[0])
    with pytest.raises(ChangedMeanwhileError):
        fresh.save(file)  # would replace others
    other.save(file.with_name('copy.npz'))
    assert People.load(file.with_name('copy.npz')).names[4] == 'Carl'


def hold(path, ready):
    with FileLock(path):
        ready.set()
        time.sleep(60)


def test_a_lock_ends_with_the_process_that_held_it(file):
    people = People.load(file)
    ready = _SERVED.Event()
    writer = _SERVED.Process(target=hold, args=(f'{file}.lock', ready))
    writer.start()
    try:
        assert ready.wait(30)
        with pytest.raises(ChangedMeanwhileError, match='is writing'):
            people.save(file)
    finally:
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    people.save(file)


def go_on(file, portions):
    """What a program does day by day."""
    for portion in portions:
        people = People.load(file) if file.exists() else People()
        before = 0 if people.tracks is None else len(people.tracks.people)
        people.assign(**portion)
        if len(people.tracks.people) > before:
            people.save(file)


def go_on_when_ready(file, portions, ready):
    """The same, of a program that has compiled everything."""
    go_on(file.with_suffix('.first.npz'), portions)
    ready.set()
    go_on(file, portions)


def test_killed_at_any_moment_and_begun_again_the_end_is_the_same(tmp_path):
    world = World()
    portions = [world.day(range(60), start=1e5 * day)[0] for day in range(5)]
    go_on(tmp_path / 'whole.npz', portions)  # compiles all kernels, too
    start = time.monotonic()
    go_on(tmp_path / 'again.npz', portions)
    took = time.monotonic() - start
    expected = states(People.load(tmp_path / 'whole.npz'))
    killed = 0
    for moment in np.linspace(0.1, 0.9, 6):
        file = tmp_path / f'{moment}.npz'
        ready = _SERVED.Event()
        program = _SERVED.Process(target=go_on_when_ready, args=(file, portions, ready))
        program.start()
        assert ready.wait(120)
        program.join(moment * took)
        program.kill()
        program.join()
        assert program.exitcode in (0, -signal.SIGKILL)
        killed += program.exitcode != 0
        go_on(file, portions)
        people = People.load(file)
        assert states(people) == expected, moment
        assert people._revision == 5
    assert killed >= 2


def test_other_files(file, tmp_path):
    with pytest.raises(FileNotFoundError):
        People.load(tmp_path / 'none.npz')
    broken = tmp_path / 'broken.npz'
    content = file.read_bytes()
    for part in (b'', b'text', content[: len(content) // 2]):
        broken.write_bytes(part)
        with pytest.raises(ValueError, match='cannot be read: it holds no people'):
            People.load(broken)
    Gallery(np.eye(2), ['', '']).save(broken)
    with pytest.raises(ValueError, match='holds no people, but embeddings'):
        People.load(broken)

    arrays = dict(read_arrays(file))
    about = json.loads(arrays['about'].tobytes())
    newer = np.frombuffer(json.dumps(dict(about, format=99)).encode(), np.uint8)
    write_arrays(broken, dict(arrays, about=newer))
    with pytest.raises(ValueError, match=r'newer version.*format 99, known is 1'):
        People.load(broken)
    write_arrays(broken, dict(arrays, keys=arrays['keys'][:5]))
    with pytest.raises(ValueError, match='is damaged: its columns'):
        People.load(broken)
    del arrays['keys']
    write_arrays(broken, arrays)
    with pytest.raises(ValueError, match='is damaged: it has no keys'):
        People.load(broken)
    with pytest.raises(ValueError, match='No track is known yet'):
        People().save(tmp_path / 'nobody.npz')
    assert not (tmp_path / 'nobody.npz').exists()
