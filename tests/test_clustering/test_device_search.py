"""The search on a device of PyTorch, here the CPU, finds what that by faiss finds."""

import numpy as np
import pytest
import torch
from dense_oracle import dense_knn, re_id_like

from mmreid_cc.clustering import camera_jaccard_distance, device_search, exact, knn
from mmreid_cc.clustering.device_search import DeviceSearch
from mmreid_cc.clustering.full_precision import full_precision


@pytest.fixture(params=['one block', 'many blocks'])
def on_device(request, monkeypatch):
    """Search on a device; in many blocks, with parts and chunks that divide nothing."""
    monkeypatch.setattr(exact, 'own_device', lambda: 'cpu')
    monkeypatch.setitem(knn.__globals__, 'own_device', lambda: 'cpu')
    if request.param == 'many blocks':
        monkeypatch.setattr(device_search, '_PRODUCTS', 1000)
        monkeypatch.setattr(device_search, '_ROWS_PER_PART', 151)
        monkeypatch.setattr(device_search, '_ROWS_PER_COPY', 23)
        monkeypatch.setattr(device_search, '_CHUNK', 2)
        monkeypatch.setattr(exact, '_ROWS_PER_BLOCK', 37)


def features_of(kind):
    if kind == 'identities':
        return re_id_like(300, 20, 32)[0]
    if kind == 'copies':  # more of each than neighbours and margin
        return np.repeat(re_id_like(6, 6, 33)[0], 50, axis=0)
    if kind == 'zero rows':
        features = re_id_like(100, 5, 16)[0]
        features[::3] = 0
        return features
    rng = np.random.default_rng(0)  # rounding of a product exceeds the differences
    features = 1 + 1e-5 * rng.standard_normal((200, 48))
    return (features / np.linalg.norm(features, axis=1, keepdims=True)).astype('f4')


@pytest.mark.parametrize('kind', ['identities', 'copies', 'zero rows', 'nearly equal'])
@pytest.mark.parametrize('k', [1, 5, 120])
def test_equals_sorting_the_whole_matrix(kind, k, on_device):
    features = features_of(kind)
    for result, expected in zip(knn(features, k), dense_knn(features, k), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_more_neighbors_than_faiss_has_on_a_gpu():
    features = re_id_like(2100, 50, 8)[0]
    products, indices = DeviceSearch(features, 'cpu')(features[:50], 2060)
    expected = -np.sort(-features[:50] @ features.T, axis=1)[:, :2060]
    np.testing.assert_allclose(products, expected, atol=1e-6)
    assert all(len(set(row)) == 2060 for row in indices)


@pytest.mark.parametrize('width', [5 * 128 * 4, 5 * 128 * 4 + 130, 10_007])
def test_chunks_hold_the_largest(width):
    """With ties, which any of them may win."""
    products = torch.randint(0, 3000, (20, width)).float()
    values, columns = device_search._largest(products, 5)
    assert values.equal(products.topk(5).values)
    assert values.equal(products.gather(1, columns))
    assert all(len(set(row)) == 5 for row in columns.tolist())


@pytest.mark.parametrize('n', [1, 2, 3])
def test_k_is_capped_at_the_number_of_rows(n, on_device):
    assert (np.sort(knn(np.eye(n), 30)[0], axis=1) == np.arange(n)).all()


def test_half_precision_in_a_read_only_file(on_device, tmp_path):
    features = re_id_like(250, 20, 32)[0].astype(np.float16)
    np.save(tmp_path / 'features.npy', features)
    mapped = np.load(tmp_path / 'features.npy', mmap_mode='r')
    expected = dense_knn(features.astype(np.float32), 10)
    np.testing.assert_array_equal(knn(mapped, 10)[0], expected[0])


def test_features_that_do_not_fit_come_part_by_part(on_device, monkeypatch):
    monkeypatch.setattr(device_search, '_fits', lambda nbytes, device: False)
    features = re_id_like(250, 20, 32)[0]
    search = DeviceSearch(features, 'cpu')
    assert isinstance(search.features, np.ndarray)
    np.testing.assert_array_equal(knn(features, 10)[0], dense_knn(features, 10)[0])
    rows = np.arange(0, 250, 3)
    found = search.among(rows)(features[rows], 1)[1][:, 0]
    np.testing.assert_array_equal(found, np.arange(len(rows)))


def test_is_exact_at_any_size(on_device, monkeypatch):
    """`auto` takes no approximate search where there is a GPU."""
    monkeypatch.setitem(knn.__globals__, '_MOST_EXACT_ROWS', 10)
    features = re_id_like(300, 200, 8, noise=1)[0]
    np.testing.assert_array_equal(knn(features, 5)[0], dense_knn(features, 5)[0])


def test_cameras_share_one_transfer(monkeypatch):
    features, _ = re_id_like(240, 20, 16)
    cam_ids = np.arange(240) % 3
    expected = camera_jaccard_distance(features, cam_ids)
    copied = []
    copy = device_search._to_device

    def spy(array, device):
        if isinstance(array, np.ndarray):
            copied.append(array.shape)
        return copy(array, device)

    monkeypatch.setattr(device_search, '_to_device', spy)
    monkeypatch.setattr(exact, 'own_device', lambda: 'cpu')
    distance = camera_jaccard_distance(features, cam_ids)
    assert copied == [(240, 16), *[(80, 16)] * 6]  # then only queries
    assert (distance != expected).nnz == 0


def test_switches_for_the_network_do_not_reach_the_search():
    """TF32 and autocast are off within, and as before afterwards."""
    matmul = torch.backends.cuda.matmul
    before = matmul.allow_tf32
    try:
        for switch in (True, False):
            matmul.allow_tf32 = switch
            with full_precision('cuda'):
                inside = getattr(matmul, 'fp32_precision', 'ieee')
                assert (inside, torch.is_autocast_enabled()) == ('ieee', False)
            assert matmul.allow_tf32 is switch
    finally:
        matmul.allow_tf32 = before
    features = re_id_like(100, 10, 32)[0]
    expected = DeviceSearch(features, 'cpu')(features, 5)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        np.testing.assert_array_equal(
            DeviceSearch(features, 'cpu')(features, 5)[0], expected[0]
        )


@pytest.mark.gpu
@pytest.mark.parametrize('kind', ['identities', 'copies', 'zero rows', 'nearly equal'])
def test_a_gpu_finds_what_the_cpu_finds(kind):
    features = features_of(kind)
    for k in (1, 5, 120):
        for result, expected in zip(
            knn(features, k), dense_knn(features, k), strict=True
        ):
            np.testing.assert_array_equal(result, expected)
