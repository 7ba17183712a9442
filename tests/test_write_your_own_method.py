"""The files on the page about methods of your own train, and are what it says."""

import copy
import re
import sys

import pytest
import torch
import torch.nn.functional as F
from conftest import ROOT
from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_cc.clustering import CLUSTERERS
from mmreid_cc.models import CameraProxyMemory, MeanTeacherMemory
from mmreid_cc.registry import MODELS

PAGE = (ROOT / 'docs' / 'write_your_own_method.md').read_text(encoding='utf-8')
BLOCKS = re.findall(r'^```python\n(.*?)^```', PAGE, re.M | re.S)
FILES = {
    match[1]: block for block in BLOCKS if (match := re.match(r'# (\w+\.py)\n', block))
}
CONFIGS = [name for name in FILES if name.endswith('_market.py')]
OURS = {'CameraMemory', 'TeacherMemory', 'Components'}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The files in a folder of a user, who then starts a program there."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text.replace("'configs/", f"'{ROOT}/configs/"))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name.removesuffix('.py'), None)
    for registry in (MODELS, CLUSTERERS):
        for name in OURS & registry.module_dict.keys():
            registry.module_dict.pop(name)


def test_blocks():
    """All of them are files, but for the grid of the ablations, which has a test."""
    assert len(CONFIGS) == 4
    assert len(FILES) == len(BLOCKS) - 1 == 7


@pytest.mark.parametrize('name', CONFIGS)
def test_config_trains(name, folder, tiny_config):
    config = Config.fromfile(folder / name)
    config.model.backbone = dict(type='TinyBackbone')
    config.model.head.in_channels = 16
    config.default_hooks = copy.deepcopy(tiny_config.default_hooks)
    if name.startswith('components'):
        clusterer = dict(type='Components', threshold=0.6, k1=6, k2=2)
        config.default_hooks.cluster_memory.clusterer = clusterer
    pipeline = config.train_dataloader.dataset.pipeline
    collate = config.train_dataloader.collate_fn
    config.train_dataloader = copy.deepcopy(tiny_config.train_dataloader)
    config.train_dataloader.dataset.pipeline = pipeline
    config.train_dataloader.collate_fn = collate
    config.train_cfg = tiny_config.train_cfg
    for key in ('val_dataloader', 'test_dataloader', 'val_evaluator', 'test_evaluator'):
        config[key] = copy.deepcopy(tiny_config[key])
    config.work_dir = tiny_config.work_dir
    config.experiment_name = tiny_config.experiment_name
    runner = Runner.from_cfg(config)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    moved = [k for k, v in runner.model.named_parameters() if (v != before[k]).any()]
    assert any(key.startswith('backbone') for key in moved)
    assert 0 < runner.message_hub.get_scalar('val/reid/mAP').current() <= 100


def images():
    """Features, clusters and cameras of 40 images, and a batch."""
    generator = torch.Generator().manual_seed(0)
    features = F.normalize(torch.randn(40, 8, generator=generator).double())
    labels = torch.arange(40) % 6 - 1
    cam_ids = torch.randint(3, (40,), generator=generator)
    indices = torch.nonzero(labels >= 0).squeeze(1)[::4]
    embeddings = torch.randn(len(indices), 8, generator=generator).double()
    return features, labels, cam_ids, indices, embeddings


def test_first_example_is_the_intra_camera_part_of_cap():
    from camera_memory import CameraMemory

    features, labels, cam_ids, indices, embeddings = images()
    losses = []
    for memory in (CameraMemory(), CameraProxyMemory(inter_weight=0)):
        memory.fill(features, labels, cam_ids, torch.device('cpu'))
        inputs = embeddings.clone().requires_grad_()
        loss = memory(inputs, memory.slots_of(indices))
        loss.backward()
        losses.append((loss, inputs.grad, memory.centroids))
        resumed = type(memory)()
        resumed.cluster_weight = 0
        resumed.restore(memory.snapshot())
        assert torch.equal(resumed.slots_of(indices), memory.slots_of(indices))
    for found, expected in zip(*losses, strict=True):
        torch.testing.assert_close(found, expected)


def test_second_example_is_the_mean_teacher():
    from teacher_memory import TeacherMemory

    features, labels, cam_ids, indices, embeddings = images()
    taught = embeddings.roll(1, dims=1)[None]
    losses = []
    for memory in (TeacherMemory(), MeanTeacherMemory()):
        memory.fill(features, labels, cam_ids, torch.device('cpu'))
        losses.append(memory(embeddings, memory.slots_of(indices), taught))
    assert losses[0].keys() == losses[1].keys()
    for name, loss in losses[0].items():
        torch.testing.assert_close(loss, losses[1][name])
