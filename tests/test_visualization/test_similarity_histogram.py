"""Histograms of similarities: every pair that counts, once, in its bin."""

from dataclasses import replace

import numpy as np
import pytest
from small_test_set import small_test_set

from mmreid_cc.visualization import EmbeddedImages, similarity_histogram
from mmreid_cc.visualization.similarity_histogram import EDGES, similarity_counts


@pytest.fixture
def images(tmp_path):
    return small_test_set(tmp_path)


def test_counts(images):
    same, different = similarity_counts(images)
    # Query 0 at 0°: match at 40°; others at 10°, 20°, 80°. Query 6 at 10°: match at
    # 10°; others at 40°, 20°, 0°, 80°.
    expected = np.histogram(np.cos(np.radians([40, 0])) - 1e-9, EDGES)[0]
    np.testing.assert_array_equal(same, expected)
    angles = [10, 20, 80, 30, 10, 10, 70]
    expected = np.histogram(np.cos(np.radians(angles)), EDGES)[0]
    np.testing.assert_array_equal(different, expected)


def test_figure(images):
    (ax,) = similarity_histogram(images).axes
    labels = [text.get_text() for text in ax.get_legend().texts]
    assert labels[0].startswith('two persons: 7 pairs, median 0.9')
    assert labels[1].startswith('one person: 2 pairs')
    areas = [patch.get_data().values.sum() for patch in ax.patches]
    np.testing.assert_allclose(areas, 100)


def test_medians_within_a_bin():
    """As good as evenly spread values allow: bins are 0.02 wide."""
    cosines = np.linspace(0.5, 0.7, 2001)
    features = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1)
    images = EmbeddedImages(
        paths=np.full(4003, 'none.png'),
        features=np.concatenate([[[1, 0]], features, features]),
        pids=np.repeat([7, 7, 8], [1, 2001, 2001]),
        cam_ids=np.repeat([1, 2], [1, 4002]),
        is_query=np.arange(4003) == 0,
    )
    (ax,) = similarity_histogram(images).axes
    middles = [line.get_xdata()[0] for line in ax.lines]
    np.testing.assert_allclose(middles, 0.6, atol=1e-3)


def test_one_kind_of_pairs(images):
    with pytest.raises(ValueError, match='pairs of one person and pairs of two'):
        similarity_histogram(replace(images, pids=np.arange(8)))
