"""How a network is computed: layouts, pieces, layers, and the same numbers."""

from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner

from mmreid_cc.engine.extraction import extract_features
from mmreid_cc.models import computation


@pytest.fixture
def setup(tiny_config, monkeypatch):
    """A config whose test batches are larger than a piece."""
    monkeypatch.setattr(computation, 'IMAGES_PER_PIECE', 8)
    return tiny_config


def calls_of(runner):
    """A list that gets of each call the batch, and whether channels are innermost."""
    calls = []
    runner.model.backbone.register_forward_hook(
        lambda module, args, maps: calls.append(
            (
                len(maps),
                maps.is_contiguous(memory_format=torch.channels_last)
                and not maps.is_contiguous(),
            )
        )
    )
    return calls


def test_layout_pieces_and_numbers(setup):
    setup.default_hooks.computation.channels_last = False
    usual = Runner.from_cfg(setup)
    usual.train()
    calls = calls_of(usual)
    loader = usual.test_dataloader
    model = usual.model.eval()
    with torch.no_grad():
        batches = [model.data_preprocessor(batch, False)['inputs'] for batch in loader]
        del model.extract_feat  # as mmpretrain has it
        expected = torch.cat([model(batch) for batch in batches])
    assert calls
    assert not any(innermost for _, innermost in calls)

    del setup.default_hooks.computation.channels_last
    setup.load_from = f'{setup.work_dir}/epoch_2.pth'
    setup.work_dir += '_channels_last'
    runner = Runner.from_cfg(setup)
    calls = calls_of(runner)
    runner.test()
    features = extract_features(runner.model, loader)
    assert all(innermost for images, innermost in calls if images > 1)
    assert max(images for images, _ in calls) == 8
    torch.testing.assert_close(features, expected, atol=1e-6, rtol=0)
    assert 'folded' not in vars(runner.model)


def test_half_precision(setup):
    setup.default_hooks.computation.inference_dtype = 'bfloat16'
    runner = Runner.from_cfg(setup)
    runner.train()
    features = extract_features(runner.model, runner.test_dataloader)
    runner.model.inference_dtype = None
    expected = extract_features(runner.model, runner.test_dataloader)
    assert features.dtype == torch.float32
    assert 0 < (features - expected).abs().max() < 0.02
    setup.default_hooks.computation.inference_dtype = 'int8'
    with pytest.raises(ValueError, match='inference_dtype` must be None, "bfloat16"'):
        Runner.from_cfg(setup)


@pytest.mark.parametrize('fused', [False, True])
def test_resuming_with_another_layout(setup, fused):
    """Moments of a checkpoint have the layout of the run that saved it."""
    setup.optim_wrapper.optimizer.fused = fused
    setup.default_hooks.checkpoint.max_keep_ckpts = 3
    Runner.from_cfg(setup).train()
    folder = Path(setup.work_dir)
    start, expected = (
        torch.load(folder / f'epoch_{epoch}.pth', weights_only=False)['state_dict']
        for epoch in (1, 2)
    )
    setup.default_hooks.computation.channels_last = False
    setup.resume, setup.load_from = True, str(folder / 'epoch_1.pth')
    setup.experiment_name += '_resumed'
    setup.work_dir += '_resumed'
    runner = Runner.from_cfg(setup)
    runner.train()
    found = dict(runner.model.named_parameters())
    moved = sum((expected[name] - start[name]).norm() for name in found)
    error = sum((expected[name] - found[name]).norm() for name in found)
    assert error < 0.01 * moved


def test_training_and_resuming(setup):
    Runner.from_cfg(setup).train()
    setup.train_cfg.max_epochs = 3
    setup.resume, setup.load_from = True, None
    runner = Runner.from_cfg(setup)
    runner.train()
    weights = [p for p in runner.model.parameters() if p.dim() == 4 and p.shape[1] > 1]
    assert runner.epoch == 3
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)
