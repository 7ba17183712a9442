"""Keys are renamed, dropped or refused, and nothing but weights is loaded."""

import sys

import pytest
import torch
from conftest import ROOT
from mmengine.logging import HistoryBuffer
from torch import nn

TOOLS = ROOT / 'tools' / 'model_converters'
sys.path.insert(0, str(TOOLS))

import convert  # noqa: E402  after the path
from key_mapping import (  # noqa: E402
    KeyTable,
    check_weights,
    convert_keys,
    load_weights,
)

TABLE = KeyTable({r'base\.(\d)\.(.+)': r'backbone.layer\1.\2'}, (r'classifier\..+',))
ONE = torch.ones(1)


def test_renamed_dropped_and_ignored():
    weights = {'base.1.w': ONE, 'classifier.w': ONE, 'extra.w': ONE}
    done = convert_keys(weights, TABLE, ignore=[r'extra\..*'])
    assert list(done.weights) == ['backbone.layer1.w']
    assert (done.dropped, done.ignored) == (['classifier.w'], ['extra.w'])


def test_unknown_keys_are_listed():
    weights = {'base.1.w': ONE, 'NL_1.w': ONE, 'NL_2.w': ONE}
    with pytest.raises(ValueError, match=r'2 keys of 3 are unknown:\n  NL_1.w\n  NL_2'):
        convert_keys(weights, TABLE)
    # A pattern is of a whole key.
    with pytest.raises(ValueError, match='NL_1'):
        convert_keys(weights, TABLE, ignore=['NL_'])


@pytest.mark.parametrize(
    ('source', 'key', 'message'),
    [
        ('torchreid-resnet', 'conv1.weight', 'neither a last layer nor an embedding'),
        ('fastreid-embedding', 'backbone.conv1.weight', 'no heads.bottleneck.0.weight'),
    ],
)
def test_weights_without_an_embedding(source, key, message):
    with pytest.raises(ValueError, match=message):
        convert_keys({key: ONE}, convert.TABLES[source])


def test_two_keys_of_one_name():
    table = KeyTable({r'[ab]\.w': 'backbone.w'})
    with pytest.raises(
        ValueError, match=r'b\.w is the second key that becomes backbone\.w'
    ):
        convert_keys({'a.w': ONE, 'b.w': ONE}, table)


@pytest.mark.parametrize(
    'content',
    [
        {'module.w': ONE},
        {'state_dict': {'module.w': ONE}, 'epoch': 3},
        {'model': {'state_dict': {'w': ONE}}},
    ],
)
def test_where_weights_are_found(content, tmp_path):
    torch.save(content, tmp_path / 'a.pth')
    assert load_weights(tmp_path / 'a.pth') == {'w': ONE}


class Evil:
    def __reduce__(self):
        return (open, ('/dev/null',))


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'state_dict': {'w': ONE}, 'x': Evil()}, 'could execute code'),
        ({'x': Evil.__reduce__}, 'could execute code'),
        ([ONE], 'no weights, but list'),
        ({}, 'no weights'),
        ({'weights': {'w': ONE}}, r"holds \['weights'\], which are not tensors"),
    ],
)
def test_what_is_not_loaded(content, message, tmp_path):
    torch.save(content, tmp_path / 'bad.pth')
    with pytest.raises(ValueError, match=rf'bad\.pth .*{message}'):
        load_weights(tmp_path / 'bad.pth')


def test_no_file_and_no_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'There is no checkpoint .*a\.pth'):
        load_weights(tmp_path / 'a.pth')
    (tmp_path / 'a.pth').write_text('an error page')
    with pytest.raises(ValueError, match=r'a\.pth is not a checkpoint'):
        load_weights(tmp_path / 'a.pth')


def test_what_was_allowed_before_stays_allowed(tmp_path):
    """By which the classic MMEngine reads its checkpoints."""
    torch.serialization.add_safe_globals([HistoryBuffer])
    before = set(torch.serialization.get_safe_globals())
    torch.save({'state_dict': {'weight': torch.ones(1)}}, tmp_path / 'a.pth')
    load_weights(tmp_path / 'a.pth')
    assert set(torch.serialization.get_safe_globals()) == before


def test_weights_are_checked_against_the_model():
    model = nn.ModuleDict(dict(backbone=nn.Linear(2, 2), head=nn.Linear(2, 2)))
    whole = {'backbone.weight': torch.ones(2, 2), 'backbone.bias': torch.ones(2)}
    assert check_weights(whole, model) == ['head.weight', 'head.bias']
    half = {'backbone.weight': torch.ones(2, 2)}
    with pytest.raises(ValueError, match=r"checkpoint has no \['backbone.bias'\]"):
        check_weights(half, model)
    with pytest.raises(ValueError, match=r"model has no \['neck.p'\]"):
        check_weights({**whole, 'neck.p': ONE}, model)
    with pytest.raises(ValueError, match='size mismatch'):
        check_weights({**whole, 'backbone.bias': torch.ones(3)}, model)


def test_the_error_names_file_and_source(tmp_path, monkeypatch):
    torch.save({'conv1.weight': ONE, 'what.is.this': ONE}, tmp_path / 'a.pth')
    arguments = ['torchvision', str(tmp_path / 'a.pth'), str(tmp_path / 'b.pth')]
    monkeypatch.setattr(sys, 'argv', ['convert.py', *arguments])
    message = r'(?s)a\.pth as torchvision: .*\n  what.is.this\n.*--ignore'
    with pytest.raises(ValueError, match=message):
        convert.main()
    assert not (tmp_path / 'b.pth').exists()
    monkeypatch.setattr(sys, 'argv', [*sys.argv, '--ignore', r'what\..*'])
    convert.main()
    assert list(load_weights(tmp_path / 'b.pth')) == ['backbone.conv1.weight']
