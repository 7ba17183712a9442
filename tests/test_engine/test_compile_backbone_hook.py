"""Compiling the backbone, and nothing else."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_cc.engine.hooks.compile_backbone_hook import compile_backbone_only


def test_only_the_backbone_is_compiled_and_the_run_is_the_same(tiny_config):
    tiny_config.train_cfg.max_epochs = 1
    tiny_config.val_cfg = tiny_config.val_dataloader = tiny_config.val_evaluator = None
    tiny_config.default_hooks.checkpoint.update(save_best=None)
    weights = []
    for compiled in (False, dict(backend='eager')):
        cfg = tiny_config.copy()
        cfg.compile = compiled
        cfg.experiment_name = f'{cfg.experiment_name}_{len(weights)}'
        compile_backbone_only(cfg)
        runner = Runner.from_cfg(cfg)
        torch._dynamo.utils.counters.clear()
        runner.train()
        weights.append(runner.model.state_dict())
        graphs = torch._dynamo.utils.counters['stats']['unique_graphs']
        # That of training; features are extracted by folded layers.
        assert graphs == bool(compiled)
    for name, plain in weights[0].items():
        assert plain.equal(weights[1][name]), name


def test_true_compiles_by_default():
    cfg = Config(dict(compile=True, custom_hooks=[dict(type='InitialValidationHook')]))
    compile_backbone_only(cfg)
    types = [hook.type for hook in cfg.custom_hooks]
    assert types == ['InitialValidationHook', 'CompileBackboneHook']
    assert 'compile' not in cfg
    with pytest.raises(TypeError, match=r"`compile` must be True.* got 'yes'"):
        compile_backbone_only(Config(dict(compile='yes')))
