import numpy as np
import pytest
import torch

from mmreid_cc.clustering.input_checks import (
    as_features,
    as_integers,
    as_neighbors,
    check_count,
    check_normalized,
)

VALUES = [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    'features',
    [
        np.array(VALUES, dtype=np.float16),
        np.array(VALUES, dtype=np.float64),
        np.asfortranarray(np.array(VALUES, dtype=np.float32)),
        VALUES,
        torch.tensor(VALUES, requires_grad=True),
        torch.tensor(VALUES, dtype=torch.bfloat16),
        torch.tensor(VALUES, dtype=torch.float64),
    ],
)
def test_floating_arrays_and_tensors_become_contiguous_float32(features):
    array = as_features(features)
    assert array.dtype == np.float32
    assert array.flags.c_contiguous
    assert array.tolist() == VALUES


def test_float32_is_not_copied():
    features = np.array(VALUES, dtype=np.float32)
    assert np.shares_memory(as_features(features), features)


@pytest.mark.parametrize('shape', [(3,), (0, 2), (2, 0), (1, 2, 3)])
def test_shape_of_features_is_checked(shape):
    with pytest.raises(ValueError, match=r'queries must be a 2-D array.*got shape'):
        as_features(np.zeros(shape), 'queries')


@pytest.mark.parametrize(
    'features', [np.array([[1, 2]]), torch.tensor([[1, 2]]), [['a']]]
)
def test_features_must_be_floating(features):
    with pytest.raises(TypeError, match='must be floating-point numbers, got'):
        as_features(features)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
def test_rows_that_are_not_finite_are_counted(value):
    features = np.ones((3000, 2))
    features[[2001, 2500], 1] = value
    with pytest.raises(ValueError, match=r'2 of 3000 rows hold NaN.* row 2001'):
        as_features(features)


def test_rows_must_be_normalised_but_for_zeros_and_half_precision():
    rows = np.random.default_rng(0).standard_normal((50, 256))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    half = torch.tensor(rows, dtype=torch.bfloat16)
    check_normalized(np.concatenate([as_features(half), np.zeros((1, 256))]))
    rows[[7, 9]] *= 3
    with pytest.raises(ValueError, match=r'2 of 50 rows .* row 7, of length 3'):
        check_normalized(as_features(rows))


def test_integers():
    tensor = torch.tensor([1, -1], dtype=torch.int32)
    assert as_integers(tensor, 'labels').tolist() == [1, -1]
    assert as_integers([], 'labels').dtype == np.int64
    with pytest.raises(TypeError, match='labels must be integers, got float64'):
        as_integers([0.5], 'labels')
    with pytest.raises(ValueError, match=r'labels must be a 1-D array .*\(1, 2\)'):
        as_integers([[0, 1]], 'labels')


@pytest.mark.parametrize(
    ('neighbors', 'error', 'message'),
    [
        ([[0], [1]], ValueError, r'must have shape \(2, 2\).*got \(2, 1\)'),
        ([[0.0, 1.0], [1.0, 0.0]], TypeError, 'must be integers, got float64'),
        ([[0, 1], [1, 2]], ValueError, r'must lie in 0…1, got 0…2'),
        ([[0, 1], [1, -1]], ValueError, r'must lie in 0…1, got -1…1'),
        ([[0, 1], [0, 0]], ValueError, 'itself.*1 of 2 rows .* row 1'),
        ([[0, 0], [1, 0]], ValueError, 'no index twice.*1 of 2 rows .* row 0'),
    ],
)
def test_neighbors_must_be_what_knn_returns(neighbors, error, message):
    with pytest.raises(error, match=message):
        as_neighbors(neighbors, n_rows=2, n_columns=2)


@pytest.mark.parametrize('value', [0, -3, 2.0, '4', True, None])
def test_counts_are_integers_from_one_on(value):
    with pytest.raises(ValueError, match='k1 must be an integer of at least 1, got'):
        check_count('k1', value)


def test_counts_may_have_a_maximum():
    check_count('k2', np.int64(5), maximum=5)
    with pytest.raises(ValueError, match=r'k2 must be an integer in 1…5, got 6'):
        check_count('k2', 6, maximum=5)
