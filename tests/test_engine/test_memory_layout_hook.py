"""The layout of a network: of what is computed, and the same numbers."""

import pytest
import torch
from mmengine.runner import Runner

from mmreid_cc.engine.extraction import extract_features
from mmreid_cc.models.piecewise import IMAGES_PER_PIECE


@pytest.fixture
def setup(tiny_config):
    """A config whose test batches are larger than a piece."""
    tiny_config.test_dataloader.batch_size = IMAGES_PER_PIECE + 8
    tiny_config.train_dataloader.dataset.pipeline = (
        tiny_config.test_dataloader.dataset.pipeline
    )
    return tiny_config


def layouts_of(runner):
    """A list that gets whether the maps of each call have their channels innermost."""
    layouts = []
    runner.model.backbone.register_forward_hook(
        lambda module, args, maps: layouts.append(
            maps.is_contiguous(memory_format=torch.channels_last)
            and not maps.is_contiguous()
        )
    )
    return layouts


def test_layout_pieces_and_numbers(setup):
    setup.default_hooks.memory_layout.channels_last = False
    usual = Runner.from_cfg(setup)
    usual.train()
    layouts = layouts_of(usual)
    loader = usual.test_dataloader
    expected = extract_features(usual.model, loader)
    assert layouts
    assert not any(layouts)

    del setup.default_hooks.memory_layout.channels_last
    setup.load_from = f'{setup.work_dir}/epoch_2.pth'
    setup.work_dir += '_channels_last'
    runner = Runner.from_cfg(setup)
    runner.test()
    layouts = layouts_of(runner)
    features = extract_features(runner.model, loader)
    assert all(layouts)
    assert len(layouts) == -(-len(features) // IMAGES_PER_PIECE)
    torch.testing.assert_close(features, expected, atol=1e-6, rtol=0)


def test_training_and_resuming(setup):
    Runner.from_cfg(setup).train()
    setup.train_cfg.max_epochs = 3
    setup.resume, setup.load_from = True, None
    runner = Runner.from_cfg(setup)
    runner.train()
    weights = [p for p in runner.model.parameters() if p.dim() == 4 and p.shape[1] > 1]
    assert runner.epoch == 3
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
