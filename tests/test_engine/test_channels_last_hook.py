"""The layout of convolutions: of what is computed, and the same numbers."""

import torch
from mmengine.runner import Runner

from mmreid_cc.engine.extraction import extract_features


def test_layout_and_numbers(tiny_config):
    usual = Runner.from_cfg(tiny_config)
    usual.train()
    loader = usual.val_dataloader
    expected = extract_features(usual.model, loader)

    tiny_config.custom_hooks.append(dict(type='ChannelsLastHook'))
    tiny_config.load_from = f'{tiny_config.work_dir}/epoch_2.pth'
    tiny_config.work_dir += '_channels_last'
    runner = Runner.from_cfg(tiny_config)
    runner.test()
    layouts = []
    runner.model.backbone.register_forward_hook(
        lambda module, args, maps: layouts.append(maps)
    )
    features = extract_features(runner.model, loader)
    assert all(
        maps.is_contiguous(memory_format=torch.channels_last)
        and not maps.is_contiguous()
        for maps in layouts
    )
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=0)


def test_training_and_resuming(tiny_config):
    tiny_config.custom_hooks.append(dict(type='ChannelsLastHook'))
    Runner.from_cfg(tiny_config).train()
    tiny_config.train_cfg.max_epochs = 3
    tiny_config.resume, tiny_config.load_from = True, None
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    weights = [p for p in runner.model.parameters() if p.dim() == 4 and p.shape[1] > 1]
    assert runner.epoch == 3
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
