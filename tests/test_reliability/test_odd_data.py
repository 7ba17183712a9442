"""Data that leave little to learn or to measure, in a real Runner."""

import json
import shutil
from pathlib import Path

import pytest
from mmengine.runner import Runner

ODD_CASES = dict(type='DBSCAN', eps=0.6, min_samples=1, k1=6, k2=2)


@pytest.fixture
def market(market_root, tmp_path, tiny_config):
    """A copy that may be thinned out, and read by all loaders of the config."""
    root = shutil.copytree(market_root, tmp_path / 'market')
    for split in ('train', 'val', 'test'):
        tiny_config[f'{split}_dataloader'].dataset.data_root = str(root)
    return root


def keep(folder, *patterns):
    kept = {path for pattern in patterns for path in folder.glob(pattern)}
    assert kept
    for path in set(folder.glob('*.jpg')) - kept:
        path.unlink()


def scalars(config, name):
    file = next(Path(config.work_dir).glob('*/vis_data/scalars.json'))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return [line[name] for line in lines if name in line]


def log_of(config):
    return next(Path(config.work_dir).glob('*/*.log')).read_text()


def test_training_images_of_one_camera(market, tiny_config):
    """Clusters are drawn from one camera; the test has two."""
    keep(market / 'bounding_box_train', '*_c1s1_*')
    tiny_config.default_hooks.cluster_memory.clusterer = dict(ODD_CASES)
    Runner.from_cfg(tiny_config).train()
    assert len(scalars(tiny_config, 'loss')) == 6
    assert scalars(tiny_config, 'reid/mAP')[-1] > 50


def test_test_images_of_one_camera(market, tiny_config):
    """Nothing is across cameras: an error that names the switch, which helps."""
    for part in ('query', 'bounding_box_test'):
        keep(market / part, '*_c1s1_*')
    with pytest.raises(ValueError, match=r'same camera .* exclude_same_camera=False'):
        Runner.from_cfg(tiny_config).test()
    tiny_config.test_evaluator.exclude_same_camera = False
    tiny_config.experiment_name += '_allowed'
    assert Runner.from_cfg(tiny_config).test()['reid/mAP'] > 50


def test_one_identity(market, tiny_config):
    """One cluster: nothing to tell apart, which a warning says; the run goes on."""
    keep(market / 'bounding_box_train', '0001_*')
    tiny_config.default_hooks.cluster_memory.clusterer = dict(ODD_CASES, eps=0.99)
    Runner.from_cfg(tiny_config).train()
    assert scalars(tiny_config, 'loss') == [0] * 6
    assert 'With one cluster the loss is 0' in log_of(tiny_config)
    assert '`eps`' in log_of(tiny_config)


def test_one_training_image(market, tiny_config):
    """It cannot be clustered by DBSCAN with min_samples 2; the error says so."""
    keep(market / 'bounding_box_train', '0001_c1s1_000001_00.jpg')
    with pytest.raises(RuntimeError, match=r'0 cluster\(s\) in 1 images'):
        Runner.from_cfg(tiny_config).train()


def test_queries_without_a_match(market, tiny_config):
    """They are left out of the means, and counted."""
    expected = Runner.from_cfg(tiny_config).test()
    odd = next((market / 'query').glob('*.jpg')).read_bytes()
    for shot in range(3):
        (market / 'query' / f'0777_c1s1_00000{shot}_00.jpg').write_bytes(odd)
    tiny_config.experiment_name += '_odd'
    tiny_config.work_dir += '_odd'
    assert Runner.from_cfg(tiny_config).test() == pytest.approx(expected)
    assert '3 of 11 queries have no match' in log_of(tiny_config)


def test_no_query_has_a_match(market, tiny_config):
    """Query and gallery of different people."""
    for path in (market / 'query').glob('*.jpg'):
        path.rename(path.with_name(path.name.replace('00', '07', 1)))
    with pytest.raises(ValueError, match=r'none of the 4 identities .* in the gallery'):
        Runner.from_cfg(tiny_config).test()


def test_all_noise(tiny_config):
    clusterer = dict(type='DBSCAN', eps=1e-9, min_samples=4, k1=6, k2=2)
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer
    with pytest.raises(RuntimeError, match=r'0 cluster.*nothing to train on.*`eps`'):
        Runner.from_cfg(tiny_config).train()


def test_fewer_images_than_neighbours(market, tiny_config):
    """k1 30 of 6 images: neighbours are as many as there are images."""
    keep(market / 'bounding_box_train', '0001_*', '0002_c1*')
    clusterer = dict(type='DBSCAN', eps=0.99, min_samples=2, k1=30, k2=6)
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer
    Runner.from_cfg(tiny_config).train()
    assert len(scalars(tiny_config, 'loss')) == 6
