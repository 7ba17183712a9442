"""Cluster sheets: the numbers of each cluster, and what stands on the sheet."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pytest
from small_test_set import texts, write_crops

from mmreid_cc.visualization import cluster_sheet
from mmreid_cc.visualization.clusters import Clusters
from mmreid_cc.visualization.crop_sheet import read_crop

LABELS = np.array([0, 0, 0, 1, 1, 2, -1, -1])
PIDS = np.array([7, 7, 9, 9, 9, -1, 4, 9])
ANGLES = np.radians([10, 20, 0, 50, 60, 90, 30, 85])
FEATURES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


@pytest.fixture
def crops(tmp_path):
    return write_crops(tmp_path)


def test_clusters():
    clusters = Clusters(LABELS, FEATURES, PIDS)
    assert [own.tolist() for own in clusters.members] == [[0, 1, 2], [3, 4], [5]]
    assert clusters.unclustered.tolist() == [6, 7]
    assert clusters.persons.tolist() == [7, 9, -1]
    np.testing.assert_allclose(clusters.purities, [2 / 3, 1, np.nan])
    assert clusters.largest().tolist() == [0, 1, 2]
    assert clusters.least_pure().tolist() == [0]
    middles = np.radians([10, 55, 90])
    expected = np.stack([np.cos(middles), np.sin(middles)], axis=1)
    np.testing.assert_allclose(clusters.centroids, expected)
    pairs = clusters.similar_pairs(2)
    assert [pair[:2] for pair in pairs] == [(1, 2), (0, 1)]
    np.testing.assert_allclose(
        [cosine for *_, cosine in pairs], np.cos(np.radians([35, 45]))
    )


def test_pairs_among_many_clusters():
    """As from the matrix of all cosines."""
    features = np.random.default_rng(0).normal(size=(500, 32))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    clusters = Clusters(np.arange(500), features)
    pairs = clusters.similar_pairs(4)
    cosines = np.triu(features @ features.T, 1)
    rows, columns = np.unravel_index(np.argsort(-cosines, axis=None)[:4], cosines.shape)
    assert [pair[:2] for pair in pairs] == list(zip(rows, columns, strict=True))
    np.testing.assert_allclose([cosine for *_, cosine in pairs], cosines[rows, columns])


def test_images_of_a_server(crops, tmp_path):
    """What MMEngine can read can be drawn, not only files of this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        Thread(target=server.serve_forever).start()
        try:
            crop = read_crop(f'http://127.0.0.1:{server.server_port}/0.png')
        finally:
            server.shutdown()
    np.testing.assert_array_equal(crop, read_crop(crops[0]))


def test_what_is_no_image(tmp_path):
    (tmp_path / 'note.png').write_text('no image')
    with pytest.raises(OSError, match=r'note\.png cannot be read'):
        read_crop(str(tmp_path / 'note.png'))


def test_sheet(crops):
    figure = cluster_sheet(crops, LABELS, FEATURES, PIDS, np.arange(8) % 2)
    written = texts(figure)
    assert written[0] == 'Largest of 3 clusters (✗: not the most frequent person)'
    assert written[1] == 'cluster 0\n3 images\npurity 67%\n2 cameras'
    # From the middle of the cluster, at 10°, to its edge.
    assert written[2] == 'c0 id 7\n1.00'
    assert set(written[3:5]) == {'c1 id 7\n0.98', 'c0 id 9\n✗ 0.98'}
    assert 'Un-clustered: 2 of 8 images (25%)' in written
    assert '1 and 2\ncosine 0.82' in written  # the person of cluster 2 is not known
    assert '0 and 1\ncosine 0.71\ntwo persons' in written
    assert 'c0 id 4\n0.94 to 0' in written
    # Clusters 3 + 2 + 1, pairs 3 + 5 + 4, un-clustered 2.
    assert len(figure.axes[0].images) == 6 + 12 + 2


def test_least_pure(crops):
    """Of the clusters that are not among the largest."""
    labels = np.array([0, 0, 0, 1, 1, 2, 2, -1])
    pids = np.array([7, 8, 9, 3, 3, 4, 5, 6])
    written = texts(cluster_sheet(crops, labels, pids=pids, n_clusters=1))
    place = written.index('Least pure of 1 others with several persons')
    assert written[place + 1] == 'cluster 2\n2 images\npurity 50%'
    assert written[place + 2 : place + 4] == ['id 4', '✗ id 5']


def test_only_labels(crops):
    """Without features and identities: sizes alone. Many members are thinned out."""
    labels = np.zeros(8, dtype=int)
    figure = cluster_sheet(crops, labels, n_members=3)
    assert texts(figure) == [
        'Largest of 1 clusters (✗: not the most frequent person)',
        'cluster 0\n8 images',
        *[''] * 3,
        'Un-clustered: 0 of 8 images (0%)',
    ]
    left = cluster_sheet(crops, labels - 1)
    assert texts(left)[0] == 'Un-clustered: 8 of 8 images (100%)'


def test_errors(crops):
    with pytest.raises(ValueError, match='8 paths do not fit 7 pids'):
        cluster_sheet(crops, LABELS, pids=PIDS[1:])
    with pytest.raises(ValueError, match='no image'):
        cluster_sheet([], LABELS[:0])
