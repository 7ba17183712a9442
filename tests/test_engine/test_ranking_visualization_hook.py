"""Pictures of validations: by the protocol of the metric, and what is refused."""

import shutil
from pathlib import Path

import pytest
from mmengine.runner import Runner

from mmreid_cc.engine.hooks import RankingVisualizationHook

HOOK = dict(type='RankingVisualizationHook', num_queries=1)


def pictures(config):
    return sorted(p.name for p in Path(config.work_dir).glob('*/vis_data/vis_image/*'))


def test_data_without_cameras(tiny_config, market_root, tmp_path):
    """All images are of one camera, as far as is known."""
    for path in market_root.glob('*/*.jpg'):
        copy = tmp_path / 'data' / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        camera = path.name.split('_')[1]
        shutil.copy(path, str(copy).replace(camera, f'c1s{camera[1]}'))
    for loader in (tiny_config.train_dataloader, tiny_config.val_dataloader):
        loader.dataset.data_root = str(tmp_path / 'data')
    tiny_config.custom_hooks.append(HOOK)
    tiny_config.train_cfg.max_epochs = 1
    tiny_config.val_evaluator.exclude_same_camera = False
    Runner.from_cfg(tiny_config).train()
    kinds = ('cmc', 'rank_lists', 'similarities')
    assert pictures(tiny_config) == [
        f'{k}_{epoch}.png' for k in kinds for epoch in '01'
    ]


def test_what_is_refused(tiny_config):
    with pytest.raises(ValueError, match='num_queries must be positive, not 0'):
        RankingVisualizationHook(num_queries=0)
    tiny_config.custom_hooks = [HOOK]
    tiny_config.val_evaluator = dict(type='Accuracy', _scope_='mmpretrain')
    with pytest.raises(ValueError, match='the config contains no ReIDMetric'):
        Runner.from_cfg(tiny_config).val()
