"""Weights of other code give the same embeddings here as in plain PyTorch."""

import sys

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, load_checkpoint
from source_models import (
    CHANNELS,
    LAYERS,
    ClusterContrast,
    FastReID,
    PASSViT,
    TorchreidOSNet,
    TorchreidResNet,
    ViT,
    draw_images,
    maps,
    randomise,
    resnet,
)

from mmreid_cc.registry import MODELS

TOOLS = ROOT / 'tools' / 'model_converters'
sys.path.insert(0, str(TOOLS))

import convert  # noqa: E402  after the path

SMALL = (64, 32)
R50 = 'cc_r50_market.py'
R50_IBN = 'cc_r50ibn_market.py'
OSNET = 'cc_osnet-x0_25_cuhk03.py'
VIT = 'cc_vit-small_market.py'
VIT_ICS = 'cc_vit-small-ics_market.py'
PASS = 'cc_pass-small_market.py'
SOLIDER = 'cc_solider-tiny_market.py'
LINEAR_NECK = dict(
    type='LinearNeck',
    in_channels=CHANNELS,
    out_channels=512,
    gap_dim=2,
    norm_cfg=dict(type='BN1d'),
    act_cfg=dict(type='ReLU'),
)
AVERAGE = dict(type='GlobalAveragePooling')
# Those of `source_models`.
NARROW = dict(stem_channels=8, base_channels=8)
SHALLOW = dict(
    arch=dict(embed_dims=384, num_layers=LAYERS, num_heads=6, feedforward_channels=1536)
)
SIZES = {
    OSNET: {},
    SOLIDER: {},
    **dict.fromkeys([VIT, VIT_ICS, PASS], SHALLOW),
}
TINY_SWIN = dict(embed_dims=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2])


def model_config(name, **changes):
    """The model of a config, with parts changed as by a config that inherits."""
    config = Config.fromfile(ROOT / 'configs' / name)
    config.model.backbone.update(init_cfg=None, **SIZES.get(name, NARROW))
    if name in (R50, R50_IBN):
        config.model.head.in_channels = CHANNELS
    config.model.neck = changes.pop('neck', config.model.neck)
    for part, arguments in changes.items():
        config.model[part].update(arguments)
    return config


def build(config):
    init_default_scope('mmreid_cc')
    return MODELS.build(config.model)


def run_tool(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['convert.py', *map(str, arguments)])
    convert.main()


CASES = {
    'cluster-contrast': (ClusterContrast, {}, model_config(R50)),
    'cluster-contrast, IBN': (ClusterContrast, dict(ibn=True), model_config(R50_IBN)),
    'cluster-contrast, features': (
        ClusterContrast,
        dict(num_features=64),
        model_config(R50, head=dict(embed_dim=64)),
    ),
    'fastreid': (
        FastReID,
        {},
        model_config(R50, backbone=dict(type='FastReIDResNet')),
    ),
    'fastreid, IBN': (
        FastReID,
        dict(ibn=True),
        model_config(R50, backbone=dict(type='FastReIDResNetIBN')),
    ),
    'fastreid-embedding': (
        FastReID,
        dict(embedding=True),
        model_config(
            R50, backbone=dict(type='FastReIDResNet'), head=dict(embed_dim=64)
        ),
    ),
    'torchreid-resnet': (
        TorchreidResNet,
        {},
        model_config(R50, backbone=dict(strides=(1, 2, 2, 2)), neck=AVERAGE),
    ),
    'torchreid-resnet, IBN': (
        TorchreidResNet,
        dict(ibn=True),
        model_config(R50_IBN, backbone=dict(strides=(1, 2, 2, 2)), neck=AVERAGE),
    ),
    'torchreid-resnet, fc512': (
        TorchreidResNet,
        dict(fc512=True),
        model_config(R50, neck=LINEAR_NECK, head=dict(in_channels=512)),
    ),
    'torchreid-osnet': (TorchreidOSNet, {}, model_config(OSNET)),
    'vit': (ViT, {}, model_config(VIT)),
    'vit, ICS': (ViT, dict(ics=True), model_config(VIT_ICS)),
}


@pytest.mark.parametrize('case', CASES)
def test_same_embeddings(case, tmp_path, monkeypatch, capsys):
    network, arguments, config = CASES[case]
    size = (256, 128) if network is ViT else SMALL
    theirs = randomise(network(**arguments), size)
    weights = {f'module.{key}': value for key, value in theirs.state_dict().items()}
    # As the reference's trainer writes it; fast-reid says `model`.
    name = 'model' if network is FastReID else 'state_dict'
    torch.save({name: weights, 'best_mAP': np.float64(0.8)}, tmp_path / 'theirs.pth')
    config.dump(tmp_path / 'config.py')

    source = case.split(',')[0]
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    run_tool(monkeypatch, source, *files, '--config', tmp_path / 'config.py')

    ours = build(config).double().eval()
    load_checkpoint(ours, str(tmp_path / 'ours.pth'), strict=True)
    images = draw_images(2, size)
    with torch.no_grad():
        expected, embeddings = theirs(images), ours(images, mode='tensor')
    assert (expected[0] - expected[1]).abs().max() > 1e-3
    torch.testing.assert_close(embeddings, expected, rtol=0, atol=1e-5)

    printed = capsys.readouterr().out
    dropped = [key for key in theirs.state_dict() if 'classifier' in key]
    for key in dropped:
        assert f'dropped: {key}' in printed
    assert 'left as initialised' not in printed


def test_torchvision(tmp_path, monkeypatch):
    theirs = resnet()
    torch.save(theirs.state_dict(), tmp_path / 'theirs.pth')
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    run_tool(monkeypatch, 'torchvision', *files)
    config = model_config(R50)
    config.model.backbone.init_cfg = dict(
        type='Pretrained', checkpoint=str(files[1]), prefix='backbone.'
    )
    ours = build(config)
    ours.init_weights()
    ours.eval()
    theirs.eval()
    images = draw_images(2, SMALL).float()
    with torch.no_grad():
        (features,) = ours.extract_feat(images, stage='backbone')
        torch.testing.assert_close(features, maps(theirs, images), rtol=0, atol=1e-5)


def test_dino(tmp_path, monkeypatch, capsys):
    """A training checkpoint: teacher and student, heads, arguments; 224 × 224."""
    theirs = randomise(ViT(patches=196), (224, 224))
    weights = {
        f'module.backbone.{key}': value
        for key, value in theirs.state_dict().items()
        if 'bottleneck' not in key
    }
    head = {'head.mlp.0.weight': torch.randn(2, 2)}
    student = {key: torch.zeros_like(value) for key, value in weights.items()}
    content = {
        'student': student,
        'teacher': {**weights, **head},
        'args': convert.argparse.Namespace(arch='vit_small'),
    }
    torch.save(content, tmp_path / 'theirs.pth')
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    run_tool(monkeypatch, 'vit', *files)
    assert 'dropped: head.mlp.0.weight' in capsys.readouterr().out

    config = model_config(VIT, backbone=dict(img_size=(224, 224)))
    ours = build(config).double().eval()
    load_checkpoint(ours, str(files[1]))
    images = draw_images(2, (224, 224))
    theirs.bottleneck = torch.nn.Identity()
    with torch.no_grad():
        torch.testing.assert_close(
            ours(images, mode='tensor'), theirs(images), rtol=0, atol=1e-5
        )
    # At 256 × 128 the position embedding of 14 × 14 becomes one of 16 × 8.
    ours = build(model_config(VIT)).double()
    load_checkpoint(ours, str(files[1]))
    resized = ours.backbone.pos_embed
    assert resized.shape == (1, 1 + 16 * 8, 384)
    grid = theirs.pos_embed[:, 1:].mT.view(1, 384, 14, 14)
    expected = torch.nn.functional.interpolate(grid, (16, 8), mode='bicubic')
    torch.testing.assert_close(
        resized[:, 1:], expected.flatten(2).mT, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize('finetuned', [False, True])
def test_pass(tmp_path, monkeypatch, finetuned):
    """Pre-trained weights, and those of its Cluster Contrast."""
    theirs = randomise(PASSViT(), (256, 128))
    weights = {
        f'module.{key}' if finetuned else key: value
        for key, value in theirs.state_dict().items()
        if finetuned or 'bottleneck' not in key
    }
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    torch.save({'state_dict': weights} if finetuned else weights, files[0])
    run_tool(monkeypatch, 'pass', *files)
    ours = build(model_config(PASS)).double().eval()
    load_checkpoint(ours, str(files[1]), strict=finetuned)
    if not finetuned:
        theirs.bottleneck = torch.nn.Identity()
    images = draw_images(2, (256, 128))
    with torch.no_grad():
        torch.testing.assert_close(
            ours(images, mode='tensor'), theirs(images), rtol=0, atol=1e-5
        )
    # At another size the positions of the patches are resized, the others are kept.
    with torch.no_grad():
        other = ours(draw_images(2, (384, 128)), mode='tensor')
    assert other.shape == (2, 768)


def test_pass_without_part_tokens(tmp_path, monkeypatch):
    torch.save({'cls_token': torch.zeros(1, 1, 384)}, tmp_path / 'vit.pth')
    with pytest.raises(ValueError, match=r'no part_token1, .*is it a ViT of PASS'):
        run_tool(monkeypatch, 'pass', tmp_path / 'vit.pth', tmp_path / 'ours.pth')


def test_there_and_back(tmp_path, monkeypatch):
    """Ours, as the reference loads it, and again ours."""
    ours = build(model_config(R50_IBN))
    first, second, third = (tmp_path / f'{name}.pth' for name in 'abc')
    torch.save({'meta': {}, 'state_dict': ours.state_dict()}, first)
    run_tool(monkeypatch, 'to-cluster-contrast', first, second)
    theirs = torch.nn.DataParallel(ClusterContrast(ibn=True))
    content = torch.load(second, weights_only=True)
    theirs.module.load_state_dict(
        {key.removeprefix('module.'): w for key, w in content['state_dict'].items()}
    )
    assert set(content['state_dict']) == {
        f'module.{k}' for k in theirs.module.state_dict()
    }
    run_tool(monkeypatch, 'cluster-contrast', second, third)
    again = torch.load(third, weights_only=True)['state_dict']
    assert set(again) == set(ours.state_dict())
    assert all(again[key].equal(value) for key, value in ours.state_dict().items())


def test_the_runner_tests_what_was_converted(
    tmp_path, market_root, monkeypatch, tiny_config
):
    theirs = randomise(TorchreidOSNet(), (128, 64)).float()
    torch.save(theirs.state_dict(), tmp_path / 'theirs.pth')
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    run_tool(monkeypatch, 'torchreid-osnet', *files)
    tiny_config.model = model_config(OSNET).model
    tiny_config.load_from = str(files[1])
    runner = Runner.from_cfg(tiny_config)
    assert 0 < runner.test()['reid/mAP'] <= 100
    loaded = runner.model.backbone.last.conv.weight
    assert loaded.equal(theirs.conv5.conv.weight)


def test_solider(tmp_path, monkeypatch, capsys):
    """Its names are mmdetection's; beside the last stage's it has norms of all."""
    config = model_config(SOLIDER, backbone=dict(arch=TINY_SWIN))
    config.model.head.in_channels = 64
    ours = build(config)
    weights = {f'backbone.{k}': v for k, v in ours.backbone.state_dict().items()}
    others = {
        **{f'backbone.norm{n}.weight': torch.rand(8 * 2**n) for n in range(3)},
        'backbone.semantic_embed_w.3.weight': torch.rand(64, 2),
        'backbone.semantic_embed_b.3.bias': torch.rand(64),
        'head.mlp.0.weight': torch.rand(2, 2),
    }
    files = tmp_path / 'theirs.pth', tmp_path / 'ours.pth'
    torch.save({'teacher': {**weights, **others}}, files[0])
    run_tool(monkeypatch, 'solider', *files)
    assert capsys.readouterr().out.count('dropped: ') == len(others)
    converted = torch.load(files[1], weights_only=True)['state_dict']
    assert converted.keys() == weights.keys()
    assert all(torch.equal(converted[key], weights[key]) for key in weights)
