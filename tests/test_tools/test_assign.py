"""Crops of every day, on the command line: numbers stay from one day to the next."""

import csv

import numpy as np
import pytest
from tiny_network import write_network, write_people_crops
from tool_runs import run_tool

from mmreid_cc.apis import People

PIDS = tuple(range(1, 31))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('assign')
    write_network(folder)
    write_network(folder / 'other', seed=1)
    shown = write_people_crops(folder / 'monday', PIDS, shots=2)
    write_list(folder / 'monday', shown, 0)
    shown = write_people_crops(folder / 'tuesday', PIDS[:5], shots=4)
    write_list(folder / 'tuesday', shown, 1e5)
    return folder


def write_list(folder, shown, start):
    """A CSV file of the crops, a track for each person."""
    lines = ['path;cam;track;time']
    for number, (name, pid) in enumerate(shown.items()):
        lines.append(f'{name};door;{pid};{start + 10 * pid + number / 1e3}')
    (folder / 'crops.csv').write_text('\n'.join(lines), 'utf-8')


def run(folder, *arguments, checkpoint='tiny.pth'):
    return run_tool('assign.py', 'tiny.py', checkpoint, *arguments, cwd=folder)


def results(file):
    with open(file, encoding='utf-8') as table:
        return list(csv.DictReader(table))


def test_two_days_in_one_file(folder):
    options = '--people', 'people.npz', '--out'
    status, printed = run(folder, 'monday/crops.csv', *options, 'monday.csv')
    assert status == 0, printed[-3000:]
    assert '60 crops in 30 tracks: 0 known people, ' in printed
    assert 'Threshold ' in printed
    monday = {row['path']: row for row in results(folder / 'monday.csv')}
    assert len(monday) == 60
    assert {row['state'] for row in monday.values()} <= {'new', 'undecided'}
    people = People.load(folder / 'people.npz')
    assert len(people.tracks.people) == 30
    assert people.cameras == ['door']
    named = int(people.numbers[0])
    people.name(named, 'Ann')
    people.save(folder / 'people.npz')

    sort = 'tuesday/crops.csv', *options, 'tuesday.csv', '--sort', 'sorted'
    status, printed = run(folder, *sort)
    assert status == 0, printed[-3000:]
    rows = results(folder / 'tuesday.csv')
    assert len(rows) == 20
    for row in rows:
        number = row['person'] or 'un-clustered'
        assert (folder / 'sorted' / number / row['path']).is_symlink()
        assert row['name'] == ('Ann' if number == str(named) else '')
    people = People.load(folder / 'people.npz')
    assert len(people.tracks.people) == 35
    assert [int(row['track']) for row in rows] == sorted(int(r['track']) for r in rows)

    content = (folder / 'people.npz').read_bytes()
    status, printed = run(folder, 'tuesday/crops.csv', *options, 'again.csv')
    assert status == 0, printed[-3000:]
    assert 'All of these tracks were in people.npz before.' in printed
    assert (folder / 'people.npz').read_bytes() == content
    assert results(folder / 'again.csv') == rows


def test_a_folder(folder):
    """Every crop is a track by itself; copies under other names are the same ones."""
    for crops in ('tuesday', 'tuesday'):
        pattern = '--pattern', r'cam (?P<cam>\d)'
        status, printed = run(folder, crops, *pattern, '--people', 'folder.npz')
        assert status == 0, printed[-3000:]
        assert '20 crops in 20 tracks' in printed
    people = People.load(folder / 'folder.npz')
    assert sorted(people.cameras) == ['0', '1']
    assert len(people.tracks.people) == 20
    assert np.isnan(people.tracks.intervals).all()


def test_what_is_refused(folder):
    run(folder, 'monday', '--people', 'refused.npz')
    content = (folder / 'refused.npz').read_bytes()
    status, printed = run(
        folder, 'monday', '--people', 'refused.npz', checkpoint='other/tiny.pth'
    )
    assert status == 1
    assert 'were embedded by another network' in printed
    status, printed = run(folder, 'missing', '--people', 'refused.npz')
    assert status == 2
    assert "must be a folder or a CSV file that exists, not 'missing'" in printed
    status, printed = run(
        folder, 'monday', '--people', 'refused.npz', '--false-matches', '0'
    )
    assert status == 2
    assert '--false-matches must be positive, not 0' in printed
    people = '--people', 'refused.npz'
    status, printed = run(folder, 'tuesday', *people, '--out', 'tiny.py/a.csv')
    assert status == 1
    assert 'nothing can be written there. Name another file' in printed
    listed = (folder / 'tuesday' / 'crops.csv').read_bytes()
    status, printed = run(
        folder, 'tuesday/crops.csv', *people, '--out', 'tuesday/crops.csv'
    )
    assert status == 1
    assert 'would be replaced by the results, and it is read' in printed
    assert (folder / 'tuesday' / 'crops.csv').read_bytes() == listed
    status, printed = run(folder, 'monday', '--people', 'tiny.py')
    assert status == 1
    assert 'tiny.py cannot be read: it holds no people' in printed
    assert (folder / 'refused.npz').read_bytes() == content
