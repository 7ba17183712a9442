"""Every config of docs/backbones.md trains for an iteration and tests at 256 × 128."""

import importlib.util

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample

from mmreid_cc.registry import MODELS

PAGE = (ROOT / 'docs' / 'backbones.md').read_text(encoding='utf-8')


def load_tool():
    path = ROOT / 'tools' / 'analysis_tools' / 'backbone_table.py'
    spec = importlib.util.spec_from_file_location('backbone_table', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = load_tool()
CONFIGS = TOOL.read_configs(PAGE)


@pytest.fixture(autouse=True)
def _one_thread():
    """Two threads on a busy machine wait for each other at every small operation."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_the_page():
    """Everything on it is read, measured, and as short as it says."""
    section = PAGE.split('\n## Foundation')[0]  # those behind it are examples
    assert len(CONFIGS) == section.count('\n### ') == section.count("_base_ = 'cc_r50")
    blocks = section.split('```python\n')[1:]
    assert max(block.split('```')[0].count('\n') for block in blocks) <= 5
    assert all(f'\n| {name} | ' in PAGE for name in CONFIGS)


def batch():
    images = torch.randint(0, 256, (2, 3, 256, 128), dtype=torch.uint8)
    samples = [DataSample(metainfo=dict(sample_idx=i)) for i in range(2)]
    return dict(inputs=list(images), data_samples=samples)


@pytest.mark.parametrize('name', CONFIGS)
def test_backbone(name: str):
    torch.manual_seed(0)
    config = CONFIGS[name]
    config.model.backbone.init_cfg = None
    init_default_scope('mmreid_cc')
    model = MODELS.build(config.model)
    size = model.head.out_channels
    centroids = torch.nn.functional.normalize(torch.randn(2, size))
    model.head.memory.reset(centroids, torch.tensor([0, 1]))
    optimizer = build_optim_wrapper(model, config.optim_wrapper)
    trained = {key: p for key, p in model.named_parameters() if p.requires_grad}
    first = next(key for key in trained if key.startswith('backbone'))
    before = trained[first].detach().clone()
    seen = []
    hook = optimizer.optimizer.register_step_pre_hook(
        lambda *_: seen.extend(key for key, p in trained.items() if p.grad is not None)
    )

    model.train()
    loss = model.train_step(batch(), optimizer)['loss']
    hook.remove()

    assert torch.isfinite(loss)
    assert loss > 0
    # A parameter without a gradient would stop distributed training.
    assert seen == list(trained)
    assert not trained[first].equal(before)
    assert not model.head.memory.centroids.equal(centroids)

    model.eval()
    with torch.no_grad():
        predicted = model.test_step(batch())
        features = model.extract_feat(torch.randn(1, 3, 256, 128))
    embeddings = torch.stack([sample.feature for sample in predicted])
    assert embeddings.shape == (2, size)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))

    # GeM would lose what is below 0, but for the little that an activation leaves.
    with torch.no_grad():
        maps = model.backbone(torch.randn(2, 3, 256, 128))[-1]
    if maps.ndim == 4 and config.model.neck.type == 'GeneralizedMeanPooling':
        assert maps.min() > -0.5

    # A wrong number of channels names the right one.
    model.head.in_channels += 1
    with pytest.raises(ValueError, match=rf'`model.head.in_channels` to {size}\.'):
        model.head(features)


@pytest.mark.parametrize(
    ('backbone', 'got'),
    [
        (
            dict(
                type='DistilledVisionTransformer',
                arch='deit-tiny',
                img_size=(256, 128),
            ),
            'tuple',
        ),
        (
            dict(
                type='VisionTransformer',
                arch='deit-tiny',
                img_size=(256, 128),
                out_type='raw',
            ),
            r'\(1, 129, 192\)',
        ),
    ],
)
def test_tokens_are_refused(backbone, got):
    config = CONFIGS['ViT-Ti/16'].copy()
    config.model.backbone = backbone
    model = TOOL.build(config)
    with torch.no_grad(), pytest.raises(ValueError, match=rf'got {got} .*`out_type`'):
        model(torch.randn(1, 3, 256, 128), mode='tensor')


def test_table(tmp_path, monkeypatch, capsys):
    """ResNet-50's operations are known: 4.06 G with a map of 16 × 8."""
    page = tmp_path / 'page.md'
    block = PAGE[PAGE.index('### ResNet-50\n') : PAGE.index('### ResNet-101\n')]
    page.write_text(
        '<!-- Made by backbone_table.py -->\nold\n<!-- End of the table -->\n' + block
    )
    monkeypatch.setattr(TOOL, 'BATCH_SIZE', 1)
    monkeypatch.setattr('sys.argv', ['', '--page', str(page), '--seconds', '0.01'])
    TOOL.main()
    row = capsys.readouterr().out
    assert row.startswith('| ResNet-50 | map 2048 × 16 × 8 | 23.5')
    assert row in page.read_text()
    assert 'old' not in page.read_text()


def config_of(name: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / f'{name}.py')


@pytest.mark.parametrize('data', ['market', 'msmt17', 'duke', 'personx', 'veri'])
def test_ibn_recipe_is_that_of_resnet50(data):
    config, plain = config_of(f'cc_r50ibn_{data}'), config_of(f'cc_r50_{data}')
    init_cfg = config.model.backbone.pop('init_cfg')
    assert init_cfg.checkpoint.endswith('/resnet50_ibn_a-d9d0bb7b.pth')
    plain.model.backbone.pop('init_cfg')
    assert config.model.backbone.pop('type') == 'ResNetIBN'
    plain.model.backbone.pop('type')
    config.pop('weights')
    assert config.to_dict() == plain.to_dict()


@pytest.mark.parametrize('stem', ['', '-ics'])
@pytest.mark.parametrize(('data', 'eps'), [('market', 0.6), ('msmt17', 0.7)])
def test_vit_recipe_is_that_of_transreid_ssl(stem, data, eps):
    """market_usl.sh, msmt_usl.sh and the defaults of the trainer."""
    config = config_of(f'cc_vit-small{stem}_{data}')
    backbone = config.model.backbone
    assert backbone.type == ('ICSVisionTransformer' if stem else 'VisionTransformer')
    assert backbone.drop_path_rate == 0.3
    assert tuple(backbone.img_size) == (256, 128)
    memory = dict(type='ClusterMemory', momentum=0.2, temperature=0.05, update='hard')
    assert config.model.head.memory.to_dict() == memory
    assert config.model.data_preprocessor.mean == [127.5] * 3
    optimizer = dict(type='SGD', lr=3.5e-4, momentum=0.9, weight_decay=5e-4)
    assert config.optim_wrapper.optimizer.to_dict() == optimizer
    assert config.param_scheduler.step_size == 20
    assert config.train_cfg.max_epochs == 50
    sampler = config.train_dataloader.sampler
    assert sampler.num_instances == 8
    assert sampler.num_clusters * 8 == config.train_dataloader.batch_size == 256
    assert sampler.iters_per_epoch == 200
    assert config.default_hooks.cluster_memory.clusterer.eps == eps
    # 256 images on 4 GPUs, on MSMT17 on 2.
    groups = dict(market=64, msmt17=128)
    assert config.default_hooks.batch_norm_groups.samples_per_bn == groups[data]
    datasets = dict(market='Market1501', msmt17='MSMT17')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert config[loader].dataset.type == datasets[data]
    # But for the colour of erasing, the augmentation is that of the other recipes.
    pipeline = config.train_dataloader.dataset.pipeline
    colour = pipeline[4].pop('fill_color')
    means = np.array([0.406, 0.456, 0.485])
    assert tuple(colour) == tuple((means * 127.5 + 127.5).round())
    usual = config_of(f'cc_r50_{data}').train_dataloader.dataset.pipeline
    assert pipeline == usual
