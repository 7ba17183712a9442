"""Images with the same encoding: found, and clustered as if each stood for itself."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from mmreid_cc.clustering import jaccard_distance, knn
from mmreid_cc.clustering.auto_dbscan import sweep
from mmreid_cc.clustering.dbscan import DBSCAN, dbscan
from mmreid_cc.clustering.encoding_twins import find_twins, hash_rows
from mmreid_cc.clustering.jaccard import distinct_jaccard_distance


def hashes(matrix):
    return hash_rows(matrix.indptr, matrix.indices, matrix.data)


def test_rows_that_differ_in_anything():
    rows = np.array(
        [
            [0.5, 0.5, 0, 0],
            [0.5, 0, 0.5, 0],
            [0.5, 0.25, 0.25, 0],
            [0.25, 0.5, 0.25, 0],
            [0, 0, 0, 0],
            [0.5, 0.5, 0, 0],
            [0.5, np.nextafter(np.float32(0.5), 1, dtype=np.float32), 0, 0],
        ],
        dtype=np.float32,
    )
    twins = find_twins(hashes(csr_array(rows)))
    assert twins.tolist() == [0, 1, 2, 3, 4, 0, 6]


def test_no_collisions():
    count = 200_000
    columns = np.arange(count, dtype=np.int32)
    weights = np.ones(count, dtype=np.float32)
    found = hash_rows(np.arange(count + 1), columns, weights)
    for half in found.T:
        assert len(np.unique(half)) == count


@pytest.fixture(scope='module')
def features():
    """Some people, with copies of one image and of another between them."""
    rng = np.random.default_rng(0)
    people = np.repeat(rng.normal(size=(20, 16)), 6, axis=0)
    people += 0.5 * rng.normal(size=people.shape)
    people[10:110:2] = people[8]
    people[30:100:7] = people[101]
    return (people / np.linalg.norm(people, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    ('k1', 'k2', 'min_samples'), [(8, 3, 4), (8, 1, 2), (20, 6, 4), (2, 2, 1)]
)
def test_same_labels(features, k1, k2, min_samples):
    whole = jaccard_distance(features, k1, k2, max_distance=0.6)
    _, copies = distinct_jaccard_distance(features, k1, k2, max_distance=0.6)
    assert copies.max() + 1 < len(features) - 10
    expected = dbscan(whole, min_samples)
    assert expected.max() > 1
    found = DBSCAN(0.6, min_samples, k1=k1, k2=k2).fit_predict(features)
    assert found.tolist() == expected.tolist()
    setting = dict(eps=0.6, min_samples=min_samples, k1=k1, k2=k2)
    swept = dict(sweep(features, knn(features, k1)[0].astype(np.int32), [setting]))
    assert swept[0].tolist() == expected.tolist()


def test_pairs_of_copies_are_not_stored():
    black = np.zeros((3000, 4), dtype=np.float32)
    black[:, 0] = 1
    distance, copies = distinct_jaccard_distance(black)
    assert distance.nnz < 3000
    assert len(copies) == 3000
    assert DBSCAN().fit_predict(black).tolist() == [0] * 3000
