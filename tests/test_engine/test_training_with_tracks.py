"""Tracks in a real Runner: from file names to the labels of a training."""

import numpy as np
from conftest import write_crop
from mmengine.runner import Runner

from mmreid_cc.engine import ClusterMemoryHook


def test_the_images_of_a_track_share_a_label(tiny_config, tmp_path):
    """Eight people, two cameras; in each a track of three images, one alone."""
    root = tmp_path / 'crops'
    for pid in range(8):
        for cam in (1, 2):
            for shot in range(4):
                track = f'{pid}' if shot else ''
                name = f'c{cam}_t{track}_{10 * pid + shot}_{shot}.jpg'
                write_crop(root / name, pid, seed=100 * pid + 10 * cam + shot)
    dataset = dict(
        type='ReIDImageFolder',
        data_root=str(root),
        pattern=r'c(?P<cam>\d)_t(?P<track>\d*)_(?P<time>\d+)_',
        pipeline=tiny_config.train_dataloader.dataset.pipeline,
    )
    tiny_config.train_dataloader.dataset = dataset
    hook = tiny_config.default_hooks.cluster_memory
    inner = dict(type='MutualNeighbors', min_similarity=-1)
    hook.clusterer = dict(type='Tracklets', clusterer=inner)
    runner = Runner.from_cfg(tiny_config)
    runner.train()
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
