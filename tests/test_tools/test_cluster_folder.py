"""From a folder of crops to people, on the command line."""

import csv

import pytest
from tiny_network import write_network, write_people_crops
from tool_runs import run_tool

from mmreid_cc.datasets.crops import list_images


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('cluster')
    write_network(folder)
    write_people_crops(folder / 'crops')
    return folder


def run(folder, *arguments):
    network = 'tiny.py', 'tiny.pth'
    return run_tool('cluster_folder.py', *network, *arguments, cwd=folder)


def test_a_folder_for_each_person(folder):
    shown = write_people_crops(folder / 'crops')
    status, printed = run(folder, 'crops', '--out', 'people')
    assert status == 0, printed[-3000:]
    assert '4 people in 20 crops, 0 un-clustered: people' in printed
    with open(folder / 'people' / 'labels.csv', encoding='utf-8') as file:
        labels = {row['path']: row['label'] for row in csv.DictReader(file)}
    pairs = {(labels[name], pid) for name, pid in shown.items()}
    assert len(labels) == 20
    assert len(pairs) == len({label for label, _ in pairs}) == 4  # one to one
    for name, label in labels.items():
        written = folder / 'people' / label / name
        assert written.is_symlink()
        assert written.read_bytes() == (folder / 'crops' / name).read_bytes()
    assert 'settings: eps=' in printed
    assert 'Estimated number of people: 4, between ' in printed
    page = (folder / 'people' / 'report.html').read_text()
    assert '20 crops show 4 people' in page
    assert "AutoDBSCAN → {'eps'" in page.replace('&#x27;', "'")

    status, printed = run(folder, 'crops', '--out', 'people')
    assert status == 1
    assert 'people is not empty' in printed


def test_crops_that_are_no_folder(folder):
    for crops in ('missing', 'tiny.py'):
        status, printed = run(folder, crops, '--out', 'none')
        assert status == 2
        assert (
            f'crops must be a folder or a CSV file that exists, not {crops!r}'
            in printed
        )
    assert not (folder / 'none').exists()


def test_a_list_with_tracks(folder):
    """Every crop is of the same track: one person, whatever the crops look like."""
    shown = write_people_crops(folder / 'crops')
    lines = ['path,pid,cam,track,time']
    lines += [
        f'{name},{pid},1,5,{number}' for number, (name, pid) in enumerate(shown.items())
    ]
    (folder / 'crops' / 'crops.csv').write_text('\n'.join(lines))
    (folder / 'tracked.py').write_text(
        "_base_ = 'tiny.py'\n"
        "inner = dict(type='MutualNeighbors')\n"
        "clusterer = dict(_delete_=True, type='Tracklets', clusterer=inner)\n"
        'default_hooks = dict(cluster_memory=dict(clusterer=clusterer))\n'
    )
    status, printed = run_tool(
        *('cluster_folder.py', 'tracked.py', 'tiny.pth', 'crops/crops.csv'),
        *('--out', 'tracked'),
        cwd=folder,
    )
    assert status == 0, printed[-3000:]
    assert '1 people in 20 crops' in printed
    assert 'Compared with the known identities: ARI 0.000' in printed
    assert len(list_images(folder / 'tracked' / '0')) == 20


def test_known_cameras_are_clustered_one_by_one(folder):
    shown = write_people_crops(folder / 'crops')
    cameras = len({name.split('/')[0] for name in shown})
    assert cameras > 1
    status, printed = run(
        folder, 'crops', '--out', 'one by one', '--pattern', r'cam (?P<cam>\d)/'
    )
    assert status == 0, printed[-3000:]
    assert f'Each of {cameras} cameras was clustered by itself' in printed
    assert 'Estimated number of people: ' in printed
    assert 'ByCamera(' in (folder / 'one by one' / 'report.html').read_text()


def test_by_cameras(folder):
    hook = 'default_hooks.cluster_memory'
    options = ['--clusterer', 'config']
    options += ['--cfg-options', f'{hook}.camera_normalization=mean']
    status, printed = run(folder, 'crops', '--out', 'by_camera', *options)
    assert status == 1
    assert 'on the command line by --pattern' in printed
    pattern = ['--pattern', r'cam (?P<cam>\d)/']
    status, printed = run(folder, 'crops', '--out', 'by_camera', *pattern, *options)
    assert status == 0, printed[-3000:]
    assert ' people in 20 crops' in printed


def test_nobody_is_found(folder):
    options = ['default_hooks.cluster_memory.clusterer.min_samples=50']
    arguments = ['crops', '--out', 'nobody', '--copy', '--clusterer', 'config']
    arguments += ['--cfg-options', *options]
    status, printed = run(folder, *arguments)
    assert status == 0, printed[-3000:]
    assert '0 people in 20 crops, 20 un-clustered' in printed
    assert 'min_samples=50, k1=6, k2=2) found nobody in 20 crops' in printed
    assert len(list_images(folder / 'nobody' / 'un-clustered')) == 20
