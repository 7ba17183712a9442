"""Exported networks give the embeddings of PyTorch; what differs is refused."""

import shutil
import sys

import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope
from tool_runs import run_tool

from mmreid_cc.models import ReIDHead
from mmreid_cc.models.deployed import DeployedModel
from mmreid_cc.registry import MODELS

sys.path.insert(0, str(ROOT / 'tools' / 'deployment'))

import export
import formats

TRAINED_P = 4.5
VIT = dict(
    img_size=(64, 32),
    arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
)
SMALL = {
    'cc_r50_market': (dict(depth=18, stem_channels=8, base_channels=8), 64),
    'cc_r50ibn_market': (dict(stem_channels=8, base_channels=8), 256),
    'cc_osnet-x0_25_cuhk03': ({}, 512),
    'cc_mbv2_cuhk03': (dict(widen_factor=0.25), 1280),
    'cc_vit-small_market': (VIT, 32),
    'cc_vit-small-ics_market': (VIT, 32),
}


def build(name, changes=None, channels=None):
    """The model of a config with random weights, made small."""
    config = Config.fromfile(ROOT / 'configs' / f'{name}.py')
    config.model.backbone.update(init_cfg=None, **(changes or {}))
    config.model.head.in_channels = channels or config.model.head.in_channels
    init_default_scope('mmreid_cc')
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    if hasattr(model.neck, 'p'):
        model.neck.p.data.fill_(TRAINED_P)
    return model.eval()


def crops(size=(64, 32)):
    return torch.randint(0, 256, (5, 3, *size), dtype=torch.uint8)


@pytest.fixture(scope='module')
def model():
    return build('cc_r50_market', *SMALL['cc_r50_market'])


@pytest.mark.parametrize('name', SMALL)
def test_embeddings_of_the_deployed_model(name):
    """And it holds nothing else: no memory, no classifier."""
    model = build(name, *SMALL[name])
    normalised, pixels = export.inputs_of(model, crops(), takes_pixels=True)
    expected = model(normalised, mode='tensor')
    torch.testing.assert_close(DeployedModel(model)(normalised), expected)
    torch.testing.assert_close(
        DeployedModel(model, takes_pixels=True)(pixels), expected
    )


@pytest.mark.parametrize('suffix', formats.WRITERS)
@pytest.mark.parametrize('takes_pixels', [False, True])
def test_every_format(model, tmp_path, suffix, takes_pixels):
    """With batches of 1, 2 and 5 images, and the p of GeM that was trained."""
    out = tmp_path / f'reid{suffix}'
    assert export.export(model, crops(), out, takes_pixels) < 1e-5
    if suffix == '.onnx':
        assert formats.takes_pixels(out) is takes_pixels
        assert [file.name for file in tmp_path.iterdir()] == ['reid.onnx']


@pytest.mark.slow
@pytest.mark.parametrize('suffix', formats.WRITERS)
@pytest.mark.parametrize('name', SMALL)
def test_every_network_at_full_size(name, suffix, tmp_path):
    size = (128, 64) if name == 'cc_mbv2_cuhk03' else (256, 128)
    out = tmp_path / f'reid{suffix}'
    assert export.export(build(name), crops(size), out, takes_pixels=False) < 1e-4


def test_what_differs_is_refused(model, tmp_path, monkeypatch):
    """Here another network is written."""
    other = DeployedModel(build('cc_r50_market', *SMALL['cc_r50_market']))
    other.head.fc = torch.nn.Linear(64, 64)
    write = formats.write_torchscript
    monkeypatch.setitem(
        formats.WRITERS, '.torchscript', lambda _, *rest: write(other, *rest)
    )
    out = tmp_path / 'reid.torchscript'
    out.write_text('of a former export')
    with pytest.raises(ValueError, match='differ from those of PyTorch by'):
        export.export(model, crops(), out, takes_pixels=False)
    assert [file.name for file in tmp_path.iterdir()] == ['reid.torchscript']
    assert out.read_text() == 'of a former export'


@pytest.fixture(scope='module')
def written(model, tmp_path_factory):
    """The network as ONNX, which takes seconds to write."""
    out = tmp_path_factory.mktemp('written') / 'exact.onnx'
    export.export(model, crops(), out, takes_pixels=False)
    return out


@pytest.fixture
def written_once(written, monkeypatch):
    """To write the network again copies the file; 8 bits are made of it anew."""
    monkeypatch.setitem(
        formats.WRITERS,
        '.onnx',
        lambda network, images, file: shutil.copy(written, file),
    )


@pytest.mark.parametrize('factor', [-1, float('nan')])
@pytest.mark.usefixtures('written_once')
def test_broken_int8_is_refused(model, tmp_path, monkeypatch, factor):
    """Another similarity than that of a copy, or no number."""
    run = formats.run_onnx

    def run_broken(file):
        share = factor if file.name.startswith('int8') else 1
        return lambda images: share * run(file)(images)

    monkeypatch.setitem(formats.RUNNERS, '.onnx', run_broken)
    out = tmp_path / 'int8.onnx'
    out.write_text('of a former export')
    with pytest.raises(ValueError, match=r'mean cosine similarity of (-|nan)'):
        export.export_int8(model, crops(), out, takes_pixels=False)
    assert [file.name for file in tmp_path.iterdir()] == ['int8.onnx']
    assert out.read_text() == 'of a former export'


@pytest.mark.usefixtures('written_once')
def test_int8_is_smaller_and_near(model, written, tmp_path):
    out = tmp_path / 'int8.onnx'
    assert 0.9 < export.export_int8(model, crops(), out, False) < 1
    assert out.stat().st_size < 0.5 * written.stat().st_size


def test_what_has_no_embedding(model):
    classifier = MODELS.build(
        dict(
            type='mmpretrain.ImageClassifier',
            backbone=dict(type='TinyBackbone'),
            head=dict(type='mmpretrain.ClsHead'),
        )
    )
    with pytest.raises(ValueError, match='ClsHead gives no embedding'):
        DeployedModel(classifier)
    model = build('cc_r50_market', *SMALL['cc_r50_market'])
    model.data_preprocessor.to_rgb = False
    with pytest.raises(ValueError, match='takes BGR images'):
        DeployedModel(model)


def test_the_classifier_is_left_away(model):
    model = build('cc_r50_market', *SMALL['cc_r50_market'])
    model.head = ReIDHead(64, num_classes=10)
    names = DeployedModel(model).state_dict()
    assert not [name for name in names if 'classifier' in name]


def test_the_tools(tiny_config, tmp_path):
    """Export, then test: 8 bits by the loader and metric of the config."""
    init_default_scope('mmreid_cc')
    checkpoint, config = tmp_path / 'last.pth', tmp_path / 'config.py'
    torch.save({'state_dict': MODELS.build(tiny_config.model).state_dict()}, checkpoint)
    tiny_config.custom_imports = dict(imports=['tiny_backbone'])
    tiny_config.dump(config)
    status, output = run_tool(
        'deployment/export.py',
        *(config, checkpoint, 'reid.onnx', '--pixels', '--int8'),
        cwd=tmp_path,
    )
    assert status == 0, output
    assert 'Written to reid.onnx, which takes RGB pixels' in output
    status, output = run_tool(
        'deployment/test_exported.py', config, 'reid.onnx', cwd=tmp_path
    )
    assert status == 0, output
    assert 'reid/mAP' in output


@pytest.mark.parametrize(
    ('arguments', 'advice'),
    [
        (['reid.pb'], 'must end in one of .onnx, .torchscript, .pt2'),
        (['reid.pt2', '--int8'], '--int8 is for ONNX'),
    ],
)
def test_what_the_tool_cannot_write(arguments, advice, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['export.py', 'config.py', 'last.pth', *arguments])
    with pytest.raises(SystemExit):
        export.parse_args()
    assert advice in capsys.readouterr().err
