"""Clusterers that run another one, in a real Runner."""

import copy
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

BY_CAMERA = dict(type='CameraProxyMemory', inter_weight=1.0)
INNER = dict(type='SelfPacedDBSCAN', eps=0.6, min_samples=2, k1=4, k2=1)


def train(config, name, memory, work_dir, **changes):
    config = copy.deepcopy(config)
    config.default_hooks.cluster_memory.clusterer = dict(type=name, clusterer=INNER)
    config.model.head.memory = memory
    config.work_dir, config.experiment_name = str(work_dir), work_dir.name
    config.update(changes)
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


@pytest.mark.parametrize(
    ('name', 'memory', 'count'),
    [('ByCamera', BY_CAMERA, 2), ('Tracklets', dict(type='ClusterMemory'), 1)],
)
def test_a_resumed_run_equals_the_whole_one(tiny_config, tmp_path, name, memory, count):
    """Thresholds that are kept from the first clustering are resumed."""
    train_here = partial(train, tiny_config, name, memory)
    whole = train_here(tmp_path / 'whole')
    first = Path(whole.work_dir) / 'epoch_1.pth'
    saved = torch.load(first, weights_only=False)['cluster_memory']['clusterer']
    assert len(saved) == count
    rest = train_here(tmp_path / 'rest', resume=True, load_from=str(first))
    assert rest.iter == whole.iter == 6
    memories = [runner.model.head.memory for runner in (whole, rest)]
    if name == 'ByCamera':
        assert len(memories[0].proxy_cams) > int(memories[0].labels.max()) + 1
    assert torch.equal(memories[0].labels, memories[1].labels)
    for one, other in zip(
        whole.model.state_dict().values(), rest.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
