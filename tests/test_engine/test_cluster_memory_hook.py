"""The hook in a real Runner: what it sets, logs and refuses."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner
from PIL import Image

from mmreid_cc.clustering import CLUSTERERS, BaseClusterer
from mmreid_cc.datasets import write_labels
from mmreid_cc.engine import ClusterMemoryHook, extract_features
from mmreid_cc.registry import HOOKS


@CLUSTERERS.register_module()
class FixedLabels(BaseClusterer):
    """Labels given in advance."""

    def __init__(self, labels):
        self.labels = np.array(labels)

    def cluster(self, features):
        return self.labels


def scalars(config):
    file = next(Path(config.work_dir).glob('*/vis_data/scalars.json'))
    return [json.loads(line) for line in file.read_text().splitlines()]


def log_of(config):
    return next(Path(config.work_dir).glob('*/*.log')).read_text()


def losses(config):
    return [line['loss'] for line in scalars(config) if 'loss' in line]


def logged_ari(config):
    return [line['cluster/ARI'] for line in scalars(config) if 'cluster/ARI' in line]


def test_a_run(tiny_config):
    """Two epochs: labels reach memory and sampler, and all is logged."""
    seen = []

    @HOOKS.register_module(force=True)
    class Spy(ClusterMemoryHook):
        def before_train_epoch(self, runner):
            super().before_train_epoch(runner)
            memory = runner.model.head.memory
            clusters = runner.train_dataloader.sampler.clusters
            for label, members in enumerate(clusters):
                assert (memory.labels[members] == label).all()
            clustered = memory.labels >= 0
            assert sum(len(m) for m in clusters) == clustered.sum()
            assert len(memory.centroids) == len(clusters) == memory.labels.max() + 1
            seen.append(memory.centroids.clone())

        def after_train_epoch(self, runner, *_):
            assert not torch.equal(seen[-1], runner.model.head.memory.centroids)

    tiny_config.default_hooks.cluster_memory.type = 'Spy'
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert len(seen) == 2
    assert runner.iter == runner.max_iters == 6
    assert runner.model.training is False  # the last validation
    logged = [line for line in scalars(tiny_config) if 'cluster/clusters' in line]
    assert [line['step'] for line in logged] == [0, 1]
    assert logged[0]['cluster/clusters'] == len(seen[0])
    expected = {'unclustered', 'ARI', 'NMI', 'purity', 'seconds_extraction'}
    assert expected <= {name.removeprefix('cluster/') for name in logged[0]}
    assert any('size' in name for name in logged[0])
    # The colours of the drawn identities are found at once.
    assert logged[0]['cluster/ARI'] > 0.9
    assert 'Clustering before epoch 2: clusters' in log_of(tiny_config)
    # The mAP before, and after each epoch.
    steps = [line['step'] for line in scalars(tiny_config) if 'reid/mAP' in line]
    assert steps == [0, 1, 2]
    assert 'best_reid_mAP' in ' '.join(p.name for p in Path(runner.work_dir).iterdir())


def test_tensorboard(tiny_config):
    """The event file has scalars, and pictures of each clustering and validation.

    To draw them takes seconds: `test_two_processes` draws those of a second epoch.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tiny_config.vis_backends = [dict(type='TensorboardVisBackend')]
    tiny_config.visualizer.vis_backends = tiny_config.vis_backends
    tiny_config.train_cfg.max_epochs = 1
    tiny_config.default_hooks.cluster_memory.draw_clusters = True
    tiny_config.custom_hooks.append(
        dict(type='RankingVisualizationHook', num_queries=1, grad_cam_pairs=1)
    )
    Runner.from_cfg(tiny_config).train()
    folder = next(Path(tiny_config.work_dir).glob('*/vis_data'))
    events = EventAccumulator(str(folder))
    events.Reload()
    tags = set(events.Tags()['scalars'])
    assert {'cluster/clusters', 'cluster/ARI', 'reid/mAP', 'loss'} <= tags
    assert [e.step for e in events.Scalars('cluster/clusters')] == [0]
    drawn = {'clusters': [0], 'embedding_map': [0], 'grad_cam': [0, 1]}
    drawn |= {'rank_lists': [0, 1], 'cmc': [0, 1], 'similarities': [0, 1]}
    for name, expected in drawn.items():
        pictures = events.Images(name)
        assert [picture.step for picture in pictures] == expected
        for picture in pictures:
            pixels = np.asarray(Image.open(BytesIO(picture.encoded_image_string)))
            assert min(pixels.shape[:2]) > 200
            assert pixels.std() > 10


def test_interval(tiny_config):
    tiny_config.default_hooks.cluster_memory.interval = 2
    tiny_config.train_cfg.max_epochs = 3
    Runner.from_cfg(tiny_config).train()
    logged = [line['step'] for line in scalars(tiny_config) if 'cluster/ARI' in line]
    assert logged == [0, 2]


def test_true_identities_change_nothing(tiny_config, monkeypatch):
    """With shuffled train identities the losses are the same, and the ARI is not."""
    Runner.from_cfg(tiny_config).train()
    before = losses(tiny_config)
    ari = logged_ari(tiny_config)

    from mmreid_cc.datasets import ReIDDataset

    load = ReIDDataset.load_data_list

    def shuffled(self):
        images = load(self)
        if self.split == 'train':
            pids = np.random.default_rng(0).permutation([i['pid'] for i in images])
            for image, pid in zip(images, pids, strict=True):
                image['pid'] = int(pid)
        return images

    monkeypatch.setattr(ReIDDataset, 'load_data_list', shuffled)
    tiny_config.work_dir += '_shuffled'
    tiny_config.experiment_name += '_shuffled'
    Runner.from_cfg(tiny_config).train()
    assert losses(tiny_config) == before
    assert max(logged_ari(tiny_config)) < 0.5 < min(ari)


def test_unknown_identities_are_no_quality(tiny_config, market_root):
    """Own crops, of which nothing is known: no ARI, and training works."""
    tiny_config.train_dataloader.dataset = dict(
        type='ReIDImageFolder',
        data_root=str(market_root),
        train='bounding_box_train',
        pipeline=tiny_config.train_dataloader.dataset.pipeline,
    )
    Runner.from_cfg(tiny_config).train()
    logged = [line for line in scalars(tiny_config) if 'cluster/clusters' in line]
    assert len(logged) == 2
    assert 'cluster/ARI' not in logged[0]


def with_labels(config, labels):
    config.default_hooks.cluster_memory.clusterer = dict(
        type='FixedLabels', labels=labels
    )
    return Runner.from_cfg(config)


def test_no_cluster(tiny_config):
    runner = with_labels(tiny_config, [-1] * 48)
    with pytest.raises(
        RuntimeError,
        match=r'0 cluster.*\n?.* in 48 images.*spread.*nothing to train on',
    ):
        runner.train()


def test_one_cluster(tiny_config):
    with_labels(tiny_config, [0] * 48).train()
    assert losses(tiny_config) == [0] * 6
    assert 'With one cluster the loss is 0' in log_of(tiny_config)


def test_fewer_clusters_than_in_a_batch(tiny_config):
    with_labels(tiny_config, [0] * 20 + [1] * 20 + [-1] * 8).train()
    assert len(losses(tiny_config)) == 6
    assert '2 clusters are fewer than the 4 of a batch' in log_of(tiny_config)


def test_fewer_images_than_k(tiny_config):
    """30 neighbours of 48 images at most, and of 8 images 8."""
    tiny_config.train_dataloader.dataset.indices = [0, 1, 2, 6, 7, 8, 12, 13]
    clusterer = dict(type='DBSCAN', eps=0.9, min_samples=1, k1=30, k2=6)
    tiny_config.default_hooks.cluster_memory.clusterer = clusterer
    Runner.from_cfg(tiny_config).train()
    assert len(losses(tiny_config)) == 6


def test_nan_features(tiny_config):
    runner = Runner.from_cfg(tiny_config)
    torch.nn.init.constant_(runner.model.backbone[0].bias, float('nan'))
    runner.val_loop.evaluator.metrics.clear()
    with pytest.raises(ValueError, match=r'48 .*(finite|NaN)'):
        runner.train()


def test_wrong_batch_size(tiny_config):
    tiny_config.train_dataloader.batch_size = 8
    with pytest.raises(ValueError, match=r'is 8, .* but the sampler draws 16'):
        Runner.from_cfg(tiny_config).train()


def test_wrong_sampler(tiny_config):
    tiny_config.train_dataloader.sampler = dict(type='DefaultSampler', shuffle=True)
    with pytest.raises(ValueError, match='draws by pseudo label, not DefaultSampler'):
        Runner.from_cfg(tiny_config).train()


def test_loop_without_epochs(tiny_config):
    tiny_config.train_cfg = dict(by_epoch=False, max_iters=6)
    tiny_config.custom_hooks = []
    with pytest.raises(ValueError, match='by_epoch=True'):
        Runner.from_cfg(tiny_config).train()


def test_averaged_model(tiny_config):
    """EMAHook averages parameters and buffers, of which the memory is none."""
    tiny_config.custom_hooks = [dict(type='EMAHook', update_buffers=True)]
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert runner.epoch == 2


def test_data_set_without_cameras(tiny_config):
    dataset = tiny_config.train_dataloader.dataset
    wrapped = dict(type='ConcatDataset', datasets=[dataset])
    tiny_config.train_dataloader.dataset = wrapped
    with pytest.raises(ValueError, match=r'needs a ReIDDataset.*not ConcatDataset'):
        Runner.from_cfg(tiny_config).train()


def test_nothing_to_derive_the_loader_from(tiny_config):
    for key in ('val', 'test'):
        for part in ('dataloader', 'evaluator', 'cfg'):
            tiny_config[f'{key}_{part}'] = None
    tiny_config.custom_hooks = []
    tiny_config.default_hooks.checkpoint.save_best = None
    with pytest.raises(ValueError, match=r'`default_hooks.cluster_memory.dataloader`'):
        Runner.from_cfg(tiny_config).train()


def test_interval_is_checked():
    with pytest.raises(ValueError, match='interval must be positive, not 0'):
        ClusterMemoryHook(dict(type='FixedLabels', labels=[0]), interval=0)


def test_testing_needs_no_training_data(tiny_config):
    tiny_config.train_dataloader.dataset.data_root = '/nowhere'
    metrics = Runner.from_cfg(tiny_config).test()
    assert metrics['reid/mAP'] > 50


def test_extraction_order_and_mode(tiny_config):
    """Row i is image i; batches do not matter; the mode of the model is kept."""
    runner = Runner.from_cfg(tiny_config)
    cfg = tiny_config.test_dataloader
    features = {}
    for batch_size in (3, 64):
        cfg.batch_size = batch_size
        loader = runner.build_dataloader(cfg)
        runner.model.train()
        features[batch_size] = extract_features(runner.model, loader)
        assert runner.model.training
    torch.testing.assert_close(features[3], features[64])
    assert features[3].dtype == torch.float32
    data = loader.dataset[7]
    runner.model.eval()
    inputs = runner.model.data_preprocessor(
        dict(inputs=data['inputs'][None], data_samples=[data['data_samples']])
    )
    alone = runner.model(**inputs, mode='tensor')[0]
    torch.testing.assert_close(features[3][7], alone, atol=1e-5, rtol=0)


def test_resume(tiny_config):
    """--resume goes on at the next epoch, with fresh labels."""
    Runner.from_cfg(tiny_config).train()
    tiny_config.train_cfg.max_epochs = 3
    tiny_config.resume = True
    tiny_config.experiment_name += '_resumed'
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert runner.epoch == 3
    assert runner.iter == 9


def test_resume_between_two_clusterings(tiny_config):
    tiny_config.default_hooks.cluster_memory.interval = 2
    tiny_config.train_cfg.max_epochs = 1
    Runner.from_cfg(tiny_config).train()
    tiny_config.train_cfg.max_epochs = 2
    tiny_config.resume = True
    tiny_config.experiment_name += '_resumed'
    runner = Runner.from_cfg(tiny_config)
    runner.train()
    assert runner.epoch == 2


def test_initial_labels(tiny_config, market_root, tmp_path):
    """Labels from a file in the first epoch, found ones in the second."""
    crops = sorted((market_root / 'bounding_box_train').glob('*.jpg'))
    given = np.array([int(path.name[:4]) // 3 for path in crops])  # wrong on purpose
    file = tmp_path / 'labels.csv'
    write_labels(file, crops, given)
    tiny_config.default_hooks.cluster_memory.initial_labels = str(file)
    Runner.from_cfg(tiny_config).train()
    logged = [line for line in scalars(tiny_config) if 'cluster/clusters' in line]
    assert [line['cluster/clusters'] for line in logged] == [3, 8]
    assert [line['cluster/unclustered'] for line in logged] == [0, 0]
    assert logged[0]['cluster/ARI'] < 0.5 < logged[1]['cluster/ARI']


@pytest.mark.parametrize(
    ('rows', 'error', 'message'),
    [
        (slice(None, -1), ValueError, '1 images have none'),
        (slice(None), RuntimeError, r'labels.csv.* found 0 cluster\(s\)'),
    ],
)
def test_initial_labels_of_nothing(
    tiny_config, market_root, tmp_path, rows, error, message
):
    crops = sorted((market_root / 'bounding_box_train').glob('*.jpg'))[rows]
    write_labels(tmp_path / 'labels.csv', crops, np.full(len(crops), -1))
    hook = tiny_config.default_hooks.cluster_memory
    hook.initial_labels = str(tmp_path / 'labels.csv')
    with pytest.raises(error, match=message):
        Runner.from_cfg(tiny_config).train()
