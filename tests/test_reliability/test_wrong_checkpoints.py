"""A checkpoint of another model ends the run, and the error names the layers."""

import copy

import pytest
import torch
from loading import safe_loading
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from mmreid_cc.engine.weights import check_pretrained, check_weights, weights_of
from mmreid_cc.registry import MODELS


@pytest.fixture
def config(tiny_config):
    tiny_config.default_hooks.weight_check = dict(type='WeightCheckHook')
    tiny_config.train_cfg.max_epochs = 1
    return tiny_config


@pytest.fixture
def checkpoint(config, tmp_path):
    """Weights that fit."""
    init_default_scope('mmreid_cc')
    file = str(tmp_path / 'whole.pth')
    torch.save({'state_dict': MODELS.build(config.model).state_dict()}, file)
    return file


def edited(checkpoint, path, edit):
    """A copy of a checkpoint with other weights."""
    content = torch.load(checkpoint, weights_only=False)
    content['state_dict'] = edit(content['state_dict'])
    torch.save(content, path)
    return str(path)


def without(prefix):
    return lambda weights: {
        k: v for k, v in weights.items() if not k.startswith(prefix)
    }


def widened(weights):
    return {**weights, 'backbone.0.weight': torch.zeros(32, 3, 8, 8)}


def test_the_right_one(config):
    """Saved by training, it is good for all three purposes."""
    Runner.from_cfg(config).train()
    config.load_from = f'{config.work_dir}/epoch_1.pth'
    config.experiment_name += '_tested'
    with safe_loading():
        assert Runner.from_cfg(config).test()['reid/mAP'] > 0
        config.experiment_name += '_started'
        Runner.from_cfg(config).train()
        config.resume = True
        config.train_cfg.max_epochs = 2
        config.experiment_name += '_resumed'
        runner = Runner.from_cfg(config)
        runner.train()
    assert runner.epoch == 2


def test_testing_needs_every_layer(config, checkpoint, tmp_path):
    config.load_from = edited(checkpoint, tmp_path / 'a.pth', without('head.bn'))
    with pytest.raises(
        ValueError, match=r'a.pth .*Missing in the file: head.bn.weight'
    ):
        Runner.from_cfg(config).test()
    config.load_from = edited(checkpoint, tmp_path / 'b.pth', lambda w: w | {'x': w})
    config.experiment_name += '_more'
    with pytest.raises(ValueError, match=r'b.pth .*nothing. Only in the file: x\.'):
        Runner.from_cfg(config).test()


def test_resuming_needs_every_layer(config, checkpoint, tmp_path):
    config.load_from = edited(checkpoint, tmp_path / 'a.pth', without('head.bn'))
    config.resume = True
    with pytest.raises(ValueError, match=r'Missing in the file: head.bn.weight'):
        Runner.from_cfg(config).train()


def test_resuming_needs_the_state_of_the_training(config, checkpoint):
    """A published checkpoint has none, and a best one lacks that of the optimizer."""
    config.load_from, config.resume = checkpoint, True
    with pytest.raises(ValueError, match=r'whole.pth .*\(epoch, iter.*load_from='):
        Runner.from_cfg(config).train()
    content = torch.load(checkpoint) | dict(meta=dict(epoch=1, iter=3), message_hub={})
    torch.save(content, checkpoint)
    config.experiment_name += '_best'
    with pytest.raises(ValueError, match=r'whole.pth .*training \(optimizer\)'):
        Runner.from_cfg(config).train()


def test_resuming_with_another_optimizer(config):
    Runner.from_cfg(config).train()
    sgd = dict(type='SGD', lr=0.1, momentum=0.9)
    config.optim_wrapper = dict(type='OptimWrapper', optimizer=sgd)
    config.resume = True
    config.experiment_name += '_sgd'
    with pytest.raises(ValueError, match=r'another kind, with amsgrad, betas, .*eps'):
        Runner.from_cfg(config).train()


def test_starting_may_lack_a_head(config, checkpoint, tmp_path):
    config.load_from = edited(checkpoint, tmp_path / 'a.pth', without('head'))
    config.optim_wrapper.optimizer.lr = 0.0  # what was loaded stays
    runner = Runner.from_cfg(config)
    runner.train()
    loaded = torch.load(config.load_from, weights_only=False)['state_dict']
    key = 'backbone.0.weight'
    assert torch.equal(runner.model.state_dict()[key], loaded[key])


@pytest.mark.parametrize('way', ['test', 'start', 'resume'])
def test_another_shape_is_an_error_everywhere(config, checkpoint, tmp_path, way):
    config.load_from = edited(checkpoint, tmp_path / 'a.pth', widened)
    config.resume = way == 'resume'
    runner = Runner.from_cfg(config)
    shapes = r'a.pth .*backbone.0.weight.*\[32, 3, 8, 8\].*\[16, 3, 8, 8\]'
    with pytest.raises(ValueError, match=shapes):
        runner.test() if way == 'test' else runner.train()


def test_weights_without_a_backbone(config, checkpoint, tmp_path):
    """Those of a backbone alone: their names lack the prefix."""

    def bare(weights):
        return {key.removeprefix('backbone.'): value for key, value in weights.items()}

    config.load_from = edited(checkpoint, tmp_path / 'a.pth', bare)
    with pytest.raises(
        ValueError, match=r'none of the layers backbone.0.weight.*init_'
    ):
        Runner.from_cfg(config).train()


def test_without_the_hook_mmengine_only_warns(config, checkpoint, tmp_path):
    """What this is all for; when it fails, MMEngine has learned to refuse."""
    config.load_from = edited(checkpoint, tmp_path / 'a.pth', widened)
    del config.default_hooks.weight_check
    Runner.from_cfg(config).test()


class TestPretrained:
    """The weights that ``init_cfg`` of a part of the model names."""

    @pytest.fixture
    def run(self, config, tmp_path):
        def train(init_cfg, **weights):
            torch.save(weights, tmp_path / 'backbone.pth')
            file = str(tmp_path / 'backbone.pth')
            init_cfg = dict(type='Pretrained', checkpoint=file, **init_cfg)
            backbone = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
            config.model.backbone = dict(**backbone, init_cfg=init_cfg)
            config.model.head.in_channels = 64
            config.train_dataloader.sampler.iters_per_epoch = 1
            config.optim_wrapper.optimizer.lr = 0.0  # what was loaded stays
            runner = Runner.from_cfg(config)
            runner.train()
            return runner

        init_default_scope('mmreid_cc')
        narrow = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
        self.weights = MODELS.build(narrow).state_dict()
        return train

    def check_loaded(self, runner):
        for name, parameter in runner.model.backbone.named_parameters():
            assert torch.equal(parameter, self.weights[name])

    def test_that_fits(self, run):
        runner = run({}, **self.weights, **{'fc.weight': torch.zeros(1000, 64)})
        self.check_loaded(runner)

    def test_that_fits_below_a_prefix(self, run):
        weights = {f'net.{key}': value for key, value in self.weights.items()}
        self.check_loaded(run(dict(prefix='net.'), **weights))

    def test_of_another_width(self, run):
        wide = {key: torch.cat([value, value]) if value.ndim == 4 else value
                for key, value in self.weights.items()}  # fmt: skip
        with pytest.raises(
            ValueError, match=r'backbone.pth .*conv1.weight.*and \d+ mor'
        ):
            run({}, **wide)

    def test_of_other_names(self, run):
        other = {f'module2.{key}': value for key, value in self.weights.items()}
        with pytest.raises(
            ValueError, match=r'none of the layers conv1.weight, .*`prefi'
        ):
            run({}, **other)

    def test_testing_does_not_look_for_it(self, config):
        gone = dict(type='Pretrained', checkpoint='gone.pth')
        backbone = dict(type='ResNet', depth=18, stem_channels=8, base_channels=8)
        config.model.backbone = dict(**backbone, init_cfg=gone)
        config.model.head.in_channels = 64
        assert Runner.from_cfg(config).test()['reid/mAP'] >= 0


def test_nothing_is_changed():
    model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    before = copy.deepcopy(model.state_dict())
    check_weights(model, other.state_dict(), 'a.pth', complete=True)
    assert all(value.equal(before[key]) for key, value in model.state_dict().items())


def test_layers_that_resize_their_weights_may():
    """A vision transformer brings position embeddings to its own image size."""
    init_default_scope('mmreid_cc')

    def vit(size):
        config = dict(type='VisionTransformer', arch='deit-tiny', img_size=size)
        return MODELS.build(config)

    source = {key: value.clone() for key, value in vit((224, 224)).state_dict().items()}
    check_weights(vit((256, 128)), source, 'vit.pth', complete=True)


def test_names_of_a_wrapped_model():
    assert list(weights_of({'state_dict': {'module.a': 1, 'b.module.c': 2}})) == [
        'a',
        'b.module.c',
    ]
    assert list(weights_of({'a': 1})) == ['a']


def test_a_model_without_pretrained_parts():
    check_pretrained(nn.Linear(2, 3))
