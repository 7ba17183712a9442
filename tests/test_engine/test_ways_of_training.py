"""Mixed precision, compilation and checkpointed activations: each trains."""

import json
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner


def losses(config):
    file = next(Path(config.work_dir).glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line['loss'] for line in lines if 'loss' in line]


def train(config):
    runner = Runner.from_cfg(config)
    before = {k: v.clone() for k, v in runner.model.named_parameters()}
    runner.train()
    moved = [k for k, v in runner.model.named_parameters() if (v != before[k]).any()]
    assert len(moved) == sum(p.requires_grad for p in runner.model.parameters())
    found = losses(config)
    assert len(found) == 6
    assert torch.tensor(found).isfinite().all()
    return runner, found


def resnet(config, **backbone):
    config.model.backbone = dict(type='ResNet', depth=18, base_channels=8, **backbone)
    config.model.backbone.update(stem_channels=8, norm_eval=False)
    config.model.head.in_channels = 64


def test_bfloat16(tiny_config):
    plain = train(tiny_config)[1]
    tiny_config.work_dir += '_bfloat16'
    tiny_config.experiment_name += '_bfloat16'
    tiny_config.optim_wrapper.type = 'BFloat16OptimWrapper'
    seen = []
    runner = Runner.from_cfg(tiny_config)
    runner.model.backbone[0].register_forward_hook(
        lambda layer, inputs, output: seen.append(output.dtype)
    )
    runner.train()
    assert torch.bfloat16 in seen  # in training
    assert torch.float32 in seen  # in extraction and validation
    assert runner.model.head.memory.centroids.dtype == torch.float32
    assert losses(tiny_config) == pytest.approx(plain, rel=0.2)
    assert losses(tiny_config) != plain


def test_compiled(tiny_config):
    """Traced as for a GPU, backward pass included; no kernel is compiled."""
    plain = train(tiny_config)[1]
    tiny_config.work_dir += '_compiled'
    tiny_config.experiment_name += '_compiled'
    tiny_config.compile = dict(backend='aot_eager')
    torch._dynamo.reset()
    assert train(tiny_config)[1] == pytest.approx(plain, rel=1e-3)
    assert torch._dynamo.utils.counters['frames']['ok'] > 0


def test_checkpointed_activations(tiny_config):
    resnet(tiny_config)
    plain = train(tiny_config)[1]
    tiny_config.work_dir += '_checkpointed'
    tiny_config.experiment_name += '_checkpointed'
    tiny_config.model.backbone.with_cp = True
    # Of the second epoch the labels may differ: running statistics move twice.
    assert train(tiny_config)[1][:3] == pytest.approx(plain[:3], rel=1e-3)
