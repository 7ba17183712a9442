"""What ``--cfg-options`` reads, and how it refuses what it cannot read."""

import argparse

import pytest
from mmengine.config import Config

from mmreid_cc.engine.cfg_options import (
    add_cfg_options,
    merge_cfg_options,
    python_value,
)


def read(*options):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    return parser.parse_args(['--cfg-options', *options]).cfg_options


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ("[dict(type='X')]", [{'type': 'X'}]),
        ("[{'type': 'X', 'size': (2, 3)}]", [{'type': 'X', 'size': (2, 3)}]),
        ("dict(type='X', inner=dict(a=None))", {'type': 'X', 'inner': {'a': None}}),
        # As MMEngine reads them.
        ('1', 1),
        ('a.pth', 'a.pth'),
        ('[1,b]', [1, 'b']),
        ('True', True),
    ],
)
def test_values(text, value):
    assert read(f'custom_hooks={text}') == {'custom_hooks': value}


def test_several_options_are_merged_into_the_config():
    cfg = Config(dict(custom_hooks=[], train_cfg=dict(max_epochs=50)))
    hooks = "custom_hooks=[dict(type='InitialValidationHook')]"
    merge_cfg_options(cfg, read(hooks, 'train_cfg.max_epochs=2'))
    assert cfg.custom_hooks[0].type == 'InitialValidationHook'
    assert cfg.train_cfg.max_epochs == 2


@pytest.mark.parametrize(
    'text', ['[dict(type=X)]', 'dict(1)', '{', "dict(a=open('b'))", "dict(**{'a': 1})"]
)
def test_nothing_is_executed_and_the_error_shows_the_form(text, capsys):
    with pytest.raises(ValueError, match='not a Python value'):
        python_value(text)
    with pytest.raises(SystemExit):
        read(f'custom_hooks={text}')
    assert "dict(type='X', size=2)" in capsys.readouterr().err


def test_an_option_without_a_value(capsys):
    with pytest.raises(SystemExit):
        read('custom_hooks')
    assert 'write it as key=value' in capsys.readouterr().err
