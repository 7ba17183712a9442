"""A teacher: what it averages, clusters and teaches, resumed and accumulated."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from test_resuming import checksum, run

from mmreid_cc.engine import extract_features


def taught(config, momentum=0.1):
    """Let the recipe learn from a teacher."""
    config.model.type = 'TaughtClassifier'
    config.model.head.memory = dict(type='MeanTeacherMemory')
    config.custom_hooks = [dict(type='TeacherHook', momentum=momentum)]
    config.default_hooks.batch_norm_groups.samples_per_bn = 8
    return config


class Follow(Hook):
    """Average the weights once more, in a plain loop."""

    priority = 'LOWEST'

    def __init__(self):
        self.average = None
        self.updates = 0

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if (runner.iter + 1) % runner.optim_wrapper._accumulative_counts:
            return
        share = max(0.1, 1 / (1 + self.updates))
        self.updates += 1
        weights = [p.detach().clone() for p in runner.model.parameters()]
        if self.average is None:
            self.average = weights
        pairs = zip(self.average, weights, strict=True)
        self.average = [(1 - share) * a + share * w for a, w in pairs]


@pytest.mark.parametrize('accumulated', [1, 2])
def test_teacher_is_the_average(tiny_config, accumulated):
    taught(tiny_config)
    tiny_config.optim_wrapper.accumulative_counts = accumulated
    tiny_config.train_dataloader.batch_size //= accumulated
    runner = Runner.from_cfg(tiny_config)
    follow = Follow()
    runner.register_hook(follow)
    runner.train()
    teacher = runner.model.teacher
    for found, expected in zip(teacher.parameters(), follow.average, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert not any(name.startswith('teacher') for name in runner.model.state_dict())
    assert len(list(runner.model.parameters())) == len(follow.average)
    # Its batch norm statistics are of its own batches.
    pairs = zip(teacher.buffers(), runner.model.buffers(), strict=True)
    assert any(not torch.equal(mine, others) for mine, others in pairs)


class Watch(Hook):
    """Keep what the memory is filled with, and what the teacher says at that time."""

    priority = 'NORMAL'  # after ClusterMemoryHook

    def __init__(self):
        self.differences = []

    def before_train_epoch(self, runner):
        (hook,) = (h for h in runner.hooks if hasattr(h, 'clusterer'))
        memory = runner.model.head.memory
        for network in (runner.model.teacher, runner.model):
            features = extract_features(network, hook.dataloader)
            own = features[memory.labels == 0].mean(dim=0)
            centroid = memory.centroids[0]
            self.differences.append((own / own.norm() - centroid).abs().max().item())


def test_memory_is_filled_by_the_teacher(tiny_config):
    runner = Runner.from_cfg(taught(tiny_config))
    watch = Watch()
    runner.register_hook(watch)
    runner.train()
    first_teacher, first_network, teacher, network = watch.differences
    assert max(first_teacher, first_network, teacher) < 1e-5
    assert network > 1e-3


def test_what_is_validated_and_saved_is_the_teacher(tiny_config):
    runner, saved = run(taught(tiny_config), 'whole', validate=True)
    state = torch.load(saved, weights_only=False)
    for name, value in runner.model.teacher.state_dict().items():
        assert torch.equal(state['state_dict'][name], value), name
    for name, value in runner.model.state_dict().items():
        assert torch.equal(state['ema_state_dict'][f'module.{name}'], value), name
    found = runner.message_hub.get_scalar('val/reid/mAP').current()
    runner.model.load_state_dict(runner.model.teacher.state_dict())
    runner.model.eval()
    evaluator = runner.val_loop.evaluator
    for batch in runner.val_dataloader:
        evaluator.process(runner.model.val_step(batch), batch)
    metrics = evaluator.evaluate(len(runner.val_dataloader.dataset))
    assert metrics['reid/mAP'] == pytest.approx(found, abs=1e-4)


def test_a_checkpoint_is_tested_as_the_teacher(tiny_config):
    """With the hook in the config, and as a plain network of the same weights."""
    plain = copy.deepcopy(tiny_config)
    runner, saved = run(taught(tiny_config), 'whole', validate=True)
    expected = runner.message_hub.get_scalar('val/reid/mAP').current()
    for number, config in enumerate((tiny_config, plain)):
        config.load_from = saved
        config.experiment_name += f'_test_{number}'
        metrics = Runner.from_cfg(config).test()
        assert metrics['reid/mAP'] == pytest.approx(expected, abs=1e-4)


class FirstValidation(Hook):
    """Keep the weights that are validated first."""

    priority = 'LOWEST'

    def __init__(self):
        self.weights = []

    def before_val_epoch(self, runner):
        self.weights.append([p.detach().clone() for p in runner.model.parameters()])


def test_before_the_first_step_the_teacher_is_the_network(tiny_config):
    """MMEngine makes an average before weights are initialised."""
    config = taught(tiny_config)
    config.custom_hooks.insert(0, dict(type='InitialValidationHook'))
    config.model.init_cfg = dict(type='Constant', layer='Conv2d', val=0.01)
    runner = Runner.from_cfg(config)
    first = FirstValidation()
    runner.register_hook(first)
    runner.train()
    assert len(first.weights) == 1 + 2
    assert (first.weights[0][0] == 0.01).all()


@pytest.mark.parametrize('stop', [4, 6])
def test_resumed_inside_and_between_epochs(tiny_config, stop):
    taught(tiny_config)
    tiny_config.train_cfg.max_epochs = 3
    tiny_config.default_hooks.checkpoint.update(by_epoch=False, save_best=None)
    _, last = run(tiny_config, 'whole')
    run(tiny_config, 'parts', stop=stop)
    resumed = run(tiny_config, 'parts', resume=True)[1]
    assert checksum(resumed) == checksum(last)
    states = [
        torch.load(f, weights_only=False)['ema_state_dict'] for f in (last, resumed)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_batch_in_parts(tiny_config):
    """Of two accumulated halves the second moves no statistics: groups of a half."""
    taught(tiny_config)
    weights = []
    for accumulated in (1, 2):
        config = copy.deepcopy(tiny_config)
        config.work_dir += str(accumulated)
        config.experiment_name += str(accumulated)
        config.optim_wrapper.accumulative_counts = accumulated
        config.train_dataloader.batch_size = 16 // accumulated
        config.train_cfg.max_epochs = 1
        runner = Runner.from_cfg(config)
        runner.train()
        weights.append([*runner.model.parameters(), *runner.model.teacher.parameters()])
    for found, expected in zip(*weights, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_errors(tiny_config):
    plain = copy.deepcopy(tiny_config)
    taught(tiny_config)
    others = [copy.deepcopy(tiny_config) for _ in range(4)]
    others[0].model.type = 'ImageClassifier'
    others[1].model.head.memory = plain.model.head.memory
    others[2].custom_hooks = []
    others[3].custom_hooks = []
    others[3].model.type = 'ImageClassifier'
    messages = [
        'TeacherHook needs a model .* Set `model.type` to "TaughtClassifier"',
        'ClusterMemory cannot learn from a teacher',
        'has no teacher. Add `custom_hooks',
        'MeanTeacherMemory learns from a teacher',
    ]
    for number, (config, message) in enumerate(zip(others, messages, strict=True)):
        config.experiment_name += str(number)
        with pytest.raises((ValueError, RuntimeError), match=message):
            Runner.from_cfg(config).train()
