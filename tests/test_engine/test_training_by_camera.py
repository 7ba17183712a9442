"""Cameras that are clustered one by one, in a real Runner."""

import copy
from pathlib import Path

import torch
from mmengine.runner import Runner

INNER = dict(type='SelfPacedDBSCAN', eps=0.6, min_samples=2, k1=4, k2=1)


def train(config, work_dir, **changes):
    config = copy.deepcopy(config)
    config.default_hooks.cluster_memory.clusterer = dict(
        type='ByCamera', clusterer=INNER
    )
    config.model.head.memory = dict(type='CameraProxyMemory', inter_weight=1.0)
    config.work_dir, config.experiment_name = str(work_dir), work_dir.name
    config.update(changes)
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def test_a_resumed_run_equals_the_whole_one(tiny_config, tmp_path):
    """The threshold that each camera keeps from its first clustering is resumed."""
    whole = train(tiny_config, tmp_path / 'whole')
    first = Path(whole.work_dir) / 'epoch_1.pth'
    saved = torch.load(first, weights_only=False)['cluster_memory']['clusterer']
    assert len(saved) == 2  # cameras
    rest = train(tiny_config, tmp_path / 'rest', resume=True, load_from=str(first))
    assert rest.iter == whole.iter == 6
    memories = [runner.model.head.memory for runner in (whole, rest)]
    assert len(memories[0].proxy_cams) > int(memories[0].labels.max()) + 1
    assert torch.equal(memories[0].labels, memories[1].labels)
    for one, other in zip(
        whole.model.state_dict().values(), rest.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
