"""A run that keeps its images: the same weights, and no file is read twice."""

from pathlib import Path

import pytest
import torch
from mmengine.dist import get_rank
from mmengine.runner import Runner
from two_ranks import run_on_two_ranks

from mmreid_cc.datasets.transforms import LoadReIDImage


@pytest.fixture
def decoded(monkeypatch):
    """The paths that were decoded, in their order."""
    return record_decoded(monkeypatch)


def record_decoded(monkeypatch):
    paths = []
    load = LoadReIDImage.transform

    def recorded(self, results):
        paths.append(results['img_path'])
        return load(self, results)

    monkeypatch.setattr(LoadReIDImage, 'transform', recorded)
    return paths


def train(config, name, **image_cache):
    """Its weights, and its log."""
    config.work_dir, config.experiment_name = f'{config.work_dir}_{name}', name
    config.default_hooks.image_cache.update(image_cache)
    runner = Runner.from_cfg(config)
    runner.train()
    log = Path(runner.log_dir, f'{Path(runner.log_dir).name}.log').read_text()
    return runner.model.state_dict(), log


def test_same_weights(tiny_config, decoded):
    expected, log = train(tiny_config, 'decoding', share=0)
    assert 'images are kept' not in log
    often = len(decoded)
    decoded.clear()
    weights, log = train(tiny_config, 'keeping', share=0.25)
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert 'The training images are kept in memory: 1 MB' in log
    assert 'The validation images are kept' in log
    assert len(decoded) == len(set(decoded)) < often / 3


def decoded_in_training(config):
    """Of one process of a group."""
    config.work_dir += f'_{get_rank()}'
    with pytest.MonkeyPatch.context() as patch:
        paths = record_decoded(patch)
        Runner.from_cfg(config).train()
        return paths


def test_processes_share(tiny_config, tmp_path):
    """What one has decoded, the other does not decode again."""
    tiny_config.train_dataloader.update(batch_size=8)  # of the 16 of a step
    first, second = run_on_two_ranks(decoded_in_training, tmp_path, tiny_config)
    assert first
    assert second
    # An image may fill up both halves of a test.
    assert len(first) + len(second) - len({*first, *second}) <= 2


def test_no_room(tiny_config, decoded):
    _, log = train(tiny_config, 'full', share=1e-12)
    assert 'keeping them takes' in log
    assert len(decoded) > len(set(decoded))


def test_random_from_the_first(tiny_config):
    pipeline = tiny_config.train_dataloader.dataset.pipeline
    pipeline.insert(1, dict(type='RandomFlip', prob=0.5, direction='horizontal'))
    _, log = train(tiny_config, 'random')
    assert 'The training images are decoded in every epoch: their pipeline' in log


def test_share(tiny_config):
    tiny_config.default_hooks.image_cache.share = 2
    with pytest.raises(ValueError, match=r'share must be in \[0, 1\], not 2'):
        Runner.from_cfg(tiny_config)
