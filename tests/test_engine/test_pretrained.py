"""The weights that a config starts from: all of them trained, or an error."""

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from tiny_network import write_network

from mmreid_cc.apis import ReIDInferencer
from mmreid_cc.apis.model import load_config, scope_of
from mmreid_cc.engine.pretrained import pretrained_weights


def test_an_inferencer_without_a_checkpoint(tmp_path, market_root):
    config, checkpoint = write_network(tmp_path)
    cfg = load_config(config)
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint=str(checkpoint))
    reid = ReIDInferencer(cfg, None, device='cpu')
    expected = ReIDInferencer(config, checkpoint, device='cpu')
    crops = market_root / 'query'
    assert torch.equal(*(torch.from_numpy(r(crops)) for r in (reid, expected)))
    assert reid.model_hash == expected.model_hash


def test_random_weights_are_refused(tmp_path):
    config, _ = write_network(tmp_path)
    refused = pytest.raises(ValueError, match=r'for backbone.0.weight, backbone.0')
    with refused:
        ReIDInferencer(config, None)
    cfg = load_config(config)
    before = torch.random.get_rng_state()
    with scope_of(cfg), refused:
        pretrained_weights(cfg.model)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_random_layer_behind_a_trained_backbone_is_refused(tmp_path):
    config, checkpoint = write_network(tmp_path)
    cfg = load_config(config)
    weights = torch.load(checkpoint)['state_dict']
    backbone = {k: v for k, v in weights.items() if k.startswith('backbone.')}
    torch.save(backbone, tmp_path / 'backbone.pth')
    path = str(tmp_path / 'backbone.pth')
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint=path)
    cfg.model.head.embed_dim = 8
    with scope_of(cfg), pytest.raises(ValueError, match=r'weights for head.fc.weight'):
        pretrained_weights(cfg.model)


def test_the_classes_of_a_source_need_no_weights(tmp_path):
    _, checkpoint = write_network(tmp_path)
    cfg = Config.fromfile(ROOT / 'configs' / 'baseline_r50_market.py')
    cfg.model.backbone = dict(type='TinyBackbone')
    cfg.model.head.in_channels = 16
    cfg.model.init_cfg = dict(type='Pretrained', checkpoint=str(checkpoint))
    with scope_of(cfg):
        weights = pretrained_weights(cfg.model)
    given = torch.load(checkpoint)['state_dict']
    assert torch.equal(weights['backbone.0.weight'], given['backbone.0.weight'])
