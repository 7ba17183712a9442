"""Other methods in a Runner: resumed inside an epoch, and in half precision."""

import copy

import pytest
import torch
from mmengine.runner import Runner
from test_resuming import checksum, run

TEACHER = dict(custom_hooks=[dict(type='TeacherHook', momentum=0.1)])
CAMERAS = dict(infrared_cameras=[2])
MODALITIES = dict(
    model=dict(type='MultiViewClassifier', num_views=2),
    views=[1, 1],
    batch=8,
    sampler=dict(type='ModalityBalancedSampler', num_instances=2, **CAMERAS),
    clusterer=dict(type='ByModality', **CAMERAS),
)
METHODS = {
    'adca': dict(
        memory=dict(type='AggregatedMemory', threshold=0, start=0.4, **CAMERAS),
        **MODALITIES,
    ),
    'ice': dict(
        model=dict(type='TaughtClassifier'),
        memory=dict(type='InterInstanceMemory', cluster_weight=1, num_negatives=3),
        views=[2, 1],
        **TEACHER,
    ),
    'ise': dict(memory=dict(type='ExtendedMemory', degree=4)),
    'mmt': dict(
        model=dict(
            type='MutualClassifier',
            backbone=dict(type='Twins', networks=[dict(type='TinyBackbone')] * 2),
        ),
        memory=dict(type='MutualMemory'),
        channels=32,
        views=[2],
        **TEACHER,
    ),
    'mt': dict(
        model=dict(type='TaughtClassifier'),
        memory=dict(type='MeanTeacherMemory'),
        **TEACHER,
    ),
    'pgm': dict(
        memory=dict(type='GraphMatchedMemory', start=0.2, **CAMERAS), **MODALITIES
    ),
    'pplr': dict(
        model=dict(neck=dict(type='PartPooling', num_parts=2)),
        memory=dict(type='PartMemory', num_parts=2, num_neighbors=5, warm_up=0.4),
        channels=48,
    ),
    'spcl': dict(memory=dict(type='HybridMemory'), sampler=dict(type='HybridSampler')),
}
all_methods = pytest.mark.parametrize(
    'name',
    [
        pytest.param(
            name, marks=() if name in ('ice', 'pgm', 'pplr') else pytest.mark.slow
        )
        for name in METHODS
    ],
)


def as_method(config, name):
    """Let the tiny recipe train by another method."""
    method = METHODS[name]
    for key, value in method.get('model', {}).items():
        config.model[key] = copy.deepcopy(value)
    config.model.head.memory = method['memory']
    config.model.head.in_channels = method.get('channels', 16)
    config.custom_hooks = method.get('custom_hooks', [])
    loader = config.train_dataloader
    if 'sampler' in method:
        loader.sampler.update(method['sampler'])
    if 'batch' in method:
        loader.batch_size = method['batch']
    if 'clusterer' in method:
        hook = config.default_hooks.cluster_memory
        hook.clusterer = dict(method['clusterer'], clusterer=hook.clusterer)
    if 'views' in method:
        load, resize, *augmentation, pack = loader.dataset.pipeline
        pipelines = [augmentation, []][: len(method['views'])]
        views = dict(type='MultiView', num_views=method['views'], transforms=pipelines)
        loader.dataset.pipeline = [load, resize, views, pack]
        loader.collate_fn = dict(type='collate_views')
    return config


@all_methods
def test_resumed_inside_an_epoch(tiny_config, name):
    config = as_method(tiny_config, name)
    config.train_cfg.max_epochs = 3
    config.default_hooks.checkpoint.update(by_epoch=False, save_best=None)
    _, last = run(config, 'whole')
    _, saved = run(config, 'parts', stop=5)
    assert torch.load(saved, weights_only=False)['cluster_memory']['iteration'] == 2
    assert checksum(run(config, 'parts', resume=True)[1]) == checksum(last)


@all_methods
def test_half_precision(tiny_config, name):
    """The network computes in bfloat16; vectors and losses are float32."""
    config = as_method(tiny_config, name)
    config.optim_wrapper.type = 'BFloat16OptimWrapper'
    runner = Runner.from_cfg(config)
    seen = set()
    convolution = next(m for m in runner.model.modules() if hasattr(m, 'stride'))
    convolution.register_forward_hook(
        lambda layer, inputs, output: seen.add((layer.training, output.dtype))
    )
    runner.train()
    assert seen == {(True, torch.bfloat16), (False, torch.float32)}
    for bank in runner.model.head.memory.banks.values():
        assert bank.vectors.dtype == torch.float32
        assert bank.vectors.isfinite().all()
    assert torch.isfinite(
        torch.tensor(runner.message_hub.get_scalar('train/loss').current())
    )
