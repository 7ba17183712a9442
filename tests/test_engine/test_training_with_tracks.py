"""Tracks in a real Runner: from lists of crops to the labels of a training."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, write_crop
from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_cc.engine import ClusterMemoryHook

TRACKS = Config.fromfile(ROOT / 'configs' / 'cc_osnet-x0_25_tracks_cuhk03.py')


@pytest.fixture
def crops(tmp_path):
    """Eight people, two cameras; in each a track of three images, one image alone."""
    root = tmp_path / 'crops'
    rows = []
    for pid in range(8):
        for cam in (1, 2):
            for shot in range(4):
                path = f'{cam}_{pid}_{shot}.jpg'
                write_crop(root / path, pid, seed=100 * pid + 10 * cam + shot)
                track = pid if shot else ''
                rows.append(dict(path=path, pid=pid, cam=cam, track=track, time=pid))
    write_list(root / 'crops.csv', rows)
    return root, rows


def write_list(file, rows):
    with file.open('w', newline='', encoding='utf-8') as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def train(config, name, root, clusterer, memory=None):
    """Train on a list; the Runner, and what it logged."""
    config.train_dataloader.dataset = dict(
        type='ReIDImageFolder',
        data_root=str(root),
        train=name,
        pipeline=config.train_dataloader.dataset.pipeline,
    )
    config.default_hooks.cluster_memory.clusterer = clusterer
    if memory is not None:
        config.model.head.memory = memory
    config.work_dir = str(root / f'run_{name}')
    config.experiment_name = f'{root}_{name}'
    runner = Runner.from_cfg(config)
    runner.train()
    (log,) = Path(config.work_dir).glob('*/vis_data/scalars.json')
    return runner, [json.loads(line) for line in log.read_text().splitlines()]


def test_the_images_of_a_track_share_a_label(tiny_config, crops):
    root, _ = crops
    inner = dict(type='MutualNeighbors', min_similarity=-1)
    clusterer = dict(type='Tracklets', clusterer=inner)
    runner, _ = train(tiny_config, 'crops.csv', root, clusterer)
    hook = next(each for each in runner.hooks if isinstance(each, ClusterMemoryHook))
    data = hook.dataloader.dataset
    labels = runner.model.head.memory.labels.numpy()
    cams, tracks = data.column('cam_id'), data.column('track')
    assert len(labels) == 64
    assert sorted(set(tracks)) == [-1, *range(8)]
    for cam in (1, 2):
        for track in range(8):
            own = labels[(cams == cam) & (tracks == track)]
            assert len(own) == 3
            assert len(np.unique(own)) == 1
            assert own[0] >= 0


def test_of_identities_only_the_tracks_are_used(tiny_config, crops):
    """The identities that tracks were made of are shuffled: the losses are the same."""
    root, rows = crops
    clusterer = TRACKS.default_hooks.cluster_memory.clusterer
    memory = TRACKS.model.head.memory
    _, logged = train(tiny_config, 'crops.csv', root, clusterer, memory)
    pids = np.random.default_rng(0).permutation([row['pid'] for row in rows])
    shuffled = [dict(row, pid=int(pid)) for row, pid in zip(rows, pids, strict=True)]
    write_list(root / 'shuffled.csv', shuffled)
    _, again = train(tiny_config, 'shuffled.csv', root, clusterer, memory)
    for key in ('loss', 'cluster/clusters', 'reid/mAP'):
        values = [line[key] for line in logged if key in line]
        assert len(values) >= 2
        assert values == [line[key] for line in again if key in line]
    before, after = (
        [line['cluster/ARI'] for line in lines if 'cluster/ARI' in line]
        for lines in (logged, again)
    )
    assert min(before) > 0.5 > max(after)  # only the log knows who is who
