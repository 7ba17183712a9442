"""A misspelt key or name is found before anything is built, with its place."""

import pytest
from conftest import ROOT
from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_cc.engine.config_check import check_config, check_options

CONFIGS = sorted((ROOT / 'configs').glob('*.py'))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_every_config_of_ours_passes(path):
    check_config(Config.fromfile(path))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (
            {'model.head.memory.momentun': 0.2},
            r"model.head.memory.momentun: ClusterMemory has no argument 'momentun'\. "
            r"Did you mean 'momentum'\?",
        ),
        (
            {'default_hooks.cluster_memory.clusterer.epz': 0.5},
            r"default_hooks.cluster_memory.clusterer.epz: DBSCAN .*'eps'",
        ),
        (
            {'default_hooks.cluster_memry.interval': 2},
            r"default_hooks.cluster_memry: .* not a hook.* mean 'cluster_memory'\?",
        ),
        (
            {'default_hooks.cluster_memory': None},
            r'default_hooks.cluster_memory: None removes only the hooks',
        ),
        (
            {'model.backbone.type': 'ResNt'},
            r"model.backbone.type: nothing is called 'ResNt'\. Did you mean 'ResNe.*'",
        ),
        (
            {'model.bakbone.depth': 18},
            r"model.bakbone: ImageClassifier has no .* Did you mean 'backbone'",
        ),
        (
            {'train_dataloader.num_worker': 0},
            r"train_dataloader.num_worker: .* Did you mean 'num_workers'",
        ),
        (
            {'train_dataloader.sampler.num_instance': 4},
            r"sampler.num_instance: RandomMultipleGallerySampler .*'num_instances'",
        ),
        (
            {'train_dataloader.dataset.pipeline.1.scales': 4},
            r"train_dataloader.dataset.pipeline\[1\].scales: Resize .*'scale'",
        ),
        ({'train_cfg.max_epoch': 4}, r"train_cfg.max_epoch: .*'max_epochs'"),
        ({'val_cfg.fp61': True}, r"val_cfg.fp61: .*'fp16'"),
        ({'param_scheduler.stepsize': 4}, r"param_scheduler.stepsize: .*'step_size'"),
        ({'optim_wrapper.clip_gradient': {}}, r"clip_gradient: .*'clip_grad'"),
        ({'optim_wrapper.optimizer.weight_decai': 0}, r"weight_decai: Adam .*'weight_"),
        ({'val_evaluator.0.top_k': [1]}, r"val_evaluator\[0\].top_k: ReID.*'topk'"),
        ({'randomness.sead': 1}, r"randomness.sead: .* Did you mean 'seed'"),
        ({'env_cfg.cudnn_benchmrk': 1}, r"env_cfg.cudnn_benchmrk: .*'cudnn_benchmark'"),
        (
            {'default_hooks.cluster_memory.clusterer.eps': 'abc'},
            r"clusterer.eps: DBSCAN needs a number, not 'abc'",
        ),
        (
            {'train_dataloader.dataset.skip_unreadable': 'no'},
            r"dataset.skip_unreadable: \w+ needs True or False, not 'no'",
        ),
        ({'train_dataloader.num_workers': 'two'}, r'num_workers: .* needs a number'),
        ({'train_cfg.max_epochs': 'abc'}, r'train_cfg.max_epochs: .* needs a number'),
        ({'optim_wrapper.optimizer.lr': 'abc'}, r'optimizer.lr: Adam needs a number'),
        ({'default_hooks.checkpoint.interval': 'x'}, r'checkpoint.interval: .* number'),
        ({'train_dataloader': 'foo'}, r"train_dataloader: it must be a dict, .*'foo'"),
        ({'model': 'ResNet'}, r"model: it must be a dict, not 'ResNet'"),
        ({'custom_hooks.0.type': 'EmaHook'}, r"custom_hooks\[0\].type: .*'EMAHook'"),
    ],
)
def test_what_is_misspelt_is_named(tiny_config, options, message):
    check_config(tiny_config)
    if 'val_evaluator.0.top_k' in options:
        tiny_config.val_evaluator = [tiny_config.val_evaluator]
    tiny_config.merge_from_dict(options)
    with pytest.raises(ValueError, match=message):
        check_config(tiny_config)


def test_all_of_them_are_named(tiny_config):
    tiny_config.model.neck.pp = 3
    tiny_config.model.head.in_chanels = 16
    with pytest.raises(ValueError, match=r'neck.pp: (.|\n)*head.in_chanels: '):
        check_config(tiny_config)


def test_what_a_component_may_have_besides_its_arguments(tiny_config):
    """MMEngine takes these from the config before it builds the component."""
    tiny_config.custom_hooks[0].priority = 'LOW'
    tiny_config.param_scheduler.convert_to_iter_based = True
    tiny_config.optim_wrapper.paramwise_cfg = dict(bias_decay_mult=0.0)
    tiny_config.optim_wrapper.constructor = 'DefaultOptimWrapperConstructor'
    tiny_config.train_dataloader.num_batch_per_epoch = 3
    tiny_config.default_hooks.timer = None
    tiny_config.helper = dict(type='of the writer of the config')
    check_config(tiny_config)
    Runner.from_cfg(tiny_config)


def test_a_loop_of_iterations(tiny_config):
    tiny_config.train_cfg = dict(by_epoch=False, max_iters=4)
    check_config(tiny_config)
    tiny_config.train_cfg = dict(by_epoch=True, max_iters=4)
    with pytest.raises(ValueError, match=r'train_cfg.max_iters'):
        check_config(tiny_config)


def test_components_that_take_any_argument_are_passed_over(tiny_config):
    tiny_config.optim_wrapper.update(type='AmpOptimWrapper', loss_skale='dynamic')
    check_config(tiny_config)


def test_types_that_are_classes(tiny_config):
    from mmreid_cc.models import ClusterMemory

    tiny_config.model.head.memory.type = ClusterMemory
    check_config(tiny_config)
    tiny_config.model.head.memory.tau = 0.05
    with pytest.raises(ValueError, match=r'memory.tau: ClusterMemory has no argument'):
        check_config(tiny_config)


def test_options_for_the_top_of_a_config(tiny_config):
    check_options(tiny_config, {'work_dir': 'a', 'auto_scale_lr.enable': True})
    with pytest.raises(
        ValueError, match=r"'optim_wraper'\. Did you mean 'optim_wrappe"
    ):
        check_options(tiny_config, {'optim_wraper.optimizer.lr': 0.1})
