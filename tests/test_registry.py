"""Names resolve in our scope, and ours from other scopes."""

import subprocess
import sys

import pytest
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import MODELS as ROOT_MODELS
from mmengine.registry import DefaultScope, Registry
from mmengine.runner import Runner

from mmreid_cc import registry


@pytest.mark.parametrize(
    ('name', 'key'),
    [
        ('MODELS', 'ResNet'),
        ('MODELS', 'ClusterMemory'),
        ('HOOKS', 'EMAHook'),
        ('HOOKS', 'CheckpointHook'),
        ('TRANSFORMS', 'RandomCrop'),
        ('TRANSFORMS', 'Resize'),
        ('DATASETS', 'ImageNet'),
        ('DATA_SAMPLERS', 'DefaultSampler'),
        ('OPTIMIZERS', 'Lamb'),
        ('METRICS', 'Accuracy'),
        ('VISUALIZERS', 'UniversalVisualizer'),
    ],
)
def test_bare_names_of_the_parents(name, key):
    assert getattr(registry, name).get(key) is not None


def test_from_a_stranger_scope():
    """As from mmdet: a child of MMEngine's registry that knows nothing of us."""
    stranger = Registry('model', parent=ROOT_MODELS, scope='stranger')
    head = stranger.get('mmreid_cc.ClusterContrastHead')
    assert head is registry.MODELS.get('ClusterContrastHead')
    assert ROOT_HOOKS.get('mmreid_cc.ClusterMemoryHook') is not None


def test_config_of_mmpretrains_scope(tiny_config, tmp_path):
    """Another project's config names our parts with their scope, and trains."""
    text = tiny_config.pretty_text
    for name in (
        'AtomicCheckpointHook',
        'BatchNormGroupsHook',
        'ClusterContrastHead',
        'ClusterMemory',
        'ClusterMemoryHook',
        'ImageCacheHook',
        'InitialValidationHook',
        'InvalidLossHook',
        'IterSeedHook',
        'LoadReIDImage',
        'PadAndCrop',
        'ComputationHook',
        'RandomMultipleGallerySampler',
        'ReIDDataset',
        'ReIDMetric',
        'ReIDRandomErasing',
        'RunAheadHook',
        'StepSlotsHook',
        'TinyBackbone',
        'WeightCheckHook',
    ):
        text = text.replace(f"type='{name}'", f"type='mmreid_cc.{name}'")
    text += "\ndefault_scope = 'mmpretrain'\n"
    text += "custom_imports = dict(imports=['mmreid_cc'])\n"
    (tmp_path / 'theirs.py').write_text(text)
    runner = Runner.from_cfg(Config.fromfile(tmp_path / 'theirs.py'))
    assert DefaultScope.get_current_instance().scope_name == 'mmpretrain'
    runner.train()
    assert runner.iter == 6
    assert type(runner.model.head).__module__.startswith('mmreid_cc')


def test_without_mmengine():
    """One clear message that names the extra."""
    code = (
        'import importlib.util as u, sys\n'
        'find = u.find_spec\n'
        "u.find_spec = lambda n: None if n.startswith('mm') else find(n)\n"
        f'sys.path.insert(0, {str(ROOT)!r})\n'
        'import mmreid_cc\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('ImportError: mmreid_cc needs mmengine, mmcv, mmpretrain.')
    assert 'mmreid-cc[mm]' in last
