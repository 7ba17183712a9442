"""What is said of a clustering."""

import numpy as np
import pytest
from mmengine.runner import Runner

from mmreid_cc.engine.clustering_report import clustering_scores, in_words


def test_in_words():
    labels = np.array([0] * 3 + [1] * 5 + [-1, -1])
    features = np.eye(10, dtype=np.float32)
    scores = clustering_scores(features, labels, np.full(10, -1))
    assert in_words(scores) == (
        'First clustering: 2 clusters of 3 to 5 images, 20% of the images '
        'un-clustered; about 2 people.'
    )
    assert 'purity' not in scores


@pytest.mark.parametrize('found', [-1, 0])
def test_one_image(found):
    labels = np.array([found])
    scores = clustering_scores(np.ones((1, 1), np.float32), labels, np.array([7]))
    words = in_words(scores)
    assert ('no cluster' in words) == (found == -1)
    assert ('1 cluster of 1 image, 0% of' in words) == (found == 0)


def test_the_log_of_a_run(tiny_config, tmp_path):
    """Once, after the first clustering."""
    tiny_config.train_cfg.max_epochs = 2
    tiny_config.work_dir = str(tmp_path)
    Runner.from_cfg(tiny_config).train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert log.count('First clustering: ') == 1
    assert log.index('First clustering: ') < log.index('Clustering before epoch 1: ')
    assert 'Clustering before epoch 2: ' in log
