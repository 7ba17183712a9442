import numpy as np
import pytest
from dense_oracle import re_id_like

from mmreid_cc.clustering.dimension_reduction import reduce_dimension


@pytest.mark.parametrize('dtype', [np.float16, np.float32])
def test_inner_products_survive_a_subspace(dtype):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((20, 5)))[0]
    features = (1 + rng.standard_normal((300, 5))) @ basis.T  # their mean is not zero
    reduced = reduce_dimension(features.astype(dtype), 5)
    assert reduced.shape == (300, 5)
    assert reduced.dtype == np.float32
    tolerance = 1e-4 if dtype == np.float32 else 0.05
    np.testing.assert_allclose(
        reduced @ reduced.T, features @ features.T, atol=tolerance, rtol=0.01
    )


def test_the_strongest_directions_are_kept():
    features = re_id_like(400, 20, 12)[0] * np.array([3.0] * 4 + [0.1] * 8)
    features = features.astype(np.float32)
    reduced = reduce_dimension(features, 4)
    products = features[:, :4] @ features[:, :4].T
    np.testing.assert_allclose(reduced @ reduced.T, products, atol=0.05)
