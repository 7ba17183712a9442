"""Cameras reach who takes them, errors reach all processes, and say what to do."""

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from torch import distributed
from two_ranks import run_on_two_ranks

from mmreid_cc.clustering import CLUSTERERS, AutoAgglomerative, knn
from mmreid_cc.engine.pseudo_labels import check_labels, pseudo_labels


def errors_of_one_rank():
    """Rank 1 fails before it exchanges anything; rank 0 when all is exchanged."""
    features = torch.eye(4).repeat_interleave(5, dim=0)
    config = dict(type='DBSCAN', k1=4, k2=2, knn=dict(method='ivf'))
    clusterer = CLUSTERERS.build(config)
    cameras = torch.zeros(20, dtype=torch.long)
    found = []
    for name, rank in [('_search', 1), ('neighbor_recall', 0)]:
        with pytest.MonkeyPatch.context() as patch:
            if distributed.get_rank() == rank:

                def fail(*_, rank=rank):
                    raise MemoryError(f'no memory in process {rank}')

                patch.setitem(knn.__globals__, name, fail)
            try:
                pseudo_labels(features, clusterer, cameras)
            except MemoryError as error:
                found.append(str(error))
    # And they are still in step.
    found.append(pseudo_labels(features, clusterer, cameras)[0].tolist())
    return found


def test_it_is_raised_in_all_processes(tmp_path):
    first, second = run_on_two_ranks(errors_of_one_rank, tmp_path)
    assert first == second
    assert first[:2] == ['no memory in process 1', 'no memory in process 0']


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(type='DBSCAN'), 'Raise `eps` or lower `min_samples`'),
        (dict(type='InfoMap'), 'Lower `min_similarity` or `min_cluster_size`'),
        (dict(type='AutoDBSCAN'), 'there are none to change: use weights'),
        (dict(type='AutoAgglomerative'), 'there are none to change: use weights'),
        (dict(type='ByCamera'), 'there are none to change: use weights'),
        (
            dict(type='Tracklets', clusterer=dict(type='HDBSCAN')),
            'Lower `min_cluster_size`',
        ),
        (dict(type='KMeans', n_clusters=2), 'Use another clusterer'),
    ],
)
def test_what_to_do_where_nobody_is_found(config, message):
    nobody = torch.full((3,), -1)
    with pytest.raises(RuntimeError, match=message):
        check_labels(nobody, torch.eye(3), CLUSTERERS.build(config))


def test_a_network_that_tells_nobody_apart(tmp_path):
    """Weights are missing, which no setting mends; images of one person differ."""
    log = tmp_path / 'log'
    MMLogger.get_instance(str(tmp_path), log_file=str(log))
    together = torch.zeros(3, dtype=torch.long)
    alike = torch.nn.functional.normalize(torch.ones(3, 4) + 1e-4 * torch.eye(3, 4))
    check_labels(together, alike, CLUSTERERS.build(dict(type='DBSCAN')))
    assert '`model.backbone.init_cfg`' in log.read_text()
    person = torch.nn.functional.normalize(torch.ones(3, 4) + 0.1 * torch.eye(3, 4))
    check_labels(together, person, CLUSTERERS.build(dict(type='DBSCAN')))
    assert log.read_text().count('Lower `eps`') == 1


def test_cameras_reach_the_clusterer():
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(10, 32)), 6, axis=0)
    rows += 0.4 * rng.normal(size=rows.shape)
    features = torch.from_numpy(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    cameras = torch.arange(60) % 2
    labels, seconds = pseudo_labels(
        features.float(), CLUSTERERS.build(dict(type='AutoAgglomerative')), cameras
    )
    alone = AutoAgglomerative().fit_predict(features.float(), cameras.numpy())
    assert labels.tolist() == alone.tolist()
    assert list(seconds) == ['choice', 'clusters']


def choices_of_two_ranks():
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(60, 16)).repeat(3, axis=0)).float()
    features += 0.3 * torch.from_numpy(rng.normal(size=features.shape))
    features = torch.nn.functional.normalize(features.float())
    cameras = torch.arange(len(features)) % 3
    return [
        pseudo_labels(features, CLUSTERERS.build(dict(type=name)), cameras)[0].tolist()
        for name in ('AutoDBSCAN', 'AutoAgglomerative', 'ByCamera')
    ]


def test_processes_make_the_same_choice(tmp_path):
    first, second = run_on_two_ranks(choices_of_two_ranks, tmp_path)
    assert first == second
    assert first == choices_of_two_ranks()
