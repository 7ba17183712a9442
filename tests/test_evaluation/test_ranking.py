from pathlib import Path

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from mmengine.logging import MMLogger
from oracle import textbook_ranking

from mmreid_cc.clustering import device_search
from mmreid_cc.evaluation import ranking_metrics
from mmreid_cc.evaluation.functional import distances
from mmreid_cc.evaluation.functional.protocol import distance_and_protocol
from mmreid_cc.evaluation.functional.query_ranks import rank_queries

NAMES = (
    'query_features',
    'gallery_features',
    'query_pids',
    'gallery_pids',
    'query_cams',
    'gallery_cams',
)


@pytest.fixture(scope='module')
def golden():
    path = Path(__file__).parents[1] / 'data' / 'ranking.npz'
    return dict(np.load(path))


@pytest.fixture
def data(golden):
    return [golden[name] for name in NAMES]


def exact_data(queries=40, images=300, seed=0):
    """Data whose cosines are multiples of 1/8, free of rounding and full of ties."""
    rng = np.random.default_rng(seed)
    return [
        rng.choice([-1.0, 1.0], (queries, 16)).astype(np.float32),
        rng.choice([-1.0, 1.0], (images, 16)).astype(np.float32),
        rng.integers(0, 12, queries),
        rng.integers(-1, 12, images),
        rng.integers(0, 3, queries),
        rng.integers(0, 3, images),
    ]


@st.composite
def small_data(draw, cameras=2):
    queries, images = draw(st.integers(1, 6)), draw(st.integers(1, 14))

    def features(n):
        return draw(arrays(np.float32, (n, 4), elements=st.sampled_from([-1.0, 1.0])))

    def integers(n, low, high):
        return draw(arrays(np.int64, n, elements=st.integers(low, high)))

    return [
        features(queries),
        features(images),
        integers(queries, 0, 3),
        integers(images, -1, 3),
        integers(queries, 1, cameras),
        integers(images, 1, cameras),
    ]


class TestGolden:
    topk = range(1, 101)

    def cmc(self, metrics):
        return [metrics[f'CMC@{k}'] for k in self.topk]

    def test_features(self, golden, data):
        metrics = ranking_metrics(*data, topk=self.topk)
        assert metrics['mAP'] == pytest.approx(float(golden['mAP']), abs=1e-6)
        assert metrics['mINP'] == pytest.approx(float(golden['mINP']), abs=1e-6)
        np.testing.assert_allclose(self.cmc(metrics), golden['cmc'], atol=1e-6)

    def test_given_distance(self, golden, data):
        distance = golden['rerank_distance']
        metrics = ranking_metrics(*data, topk=self.topk, distance=distance)
        assert metrics['mAP'] == pytest.approx(float(golden['rerank_mAP']), abs=1e-6)
        np.testing.assert_allclose(self.cmc(metrics), golden['rerank_cmc'], atol=1e-6)

    def test_three_queries_have_no_match(self, data):
        ranks = rank_queries(*distance_and_protocol(*data))
        assert (~ranks.matched).sum() == 3
        assert np.isnan(ranks.average_precision[~ranks.matched]).all()


class TestOracle:
    @settings(deadline=None, max_examples=200)
    @given(small_data(), st.booleans())
    def test_ties(self, data, exclude):
        distance = 2 - 2 * (data[0].astype(np.float64) @ data[1].T) / 4
        expected = textbook_ranking(distance, *data[2:], (1, 3), exclude)
        arguments = dict(topk=(1, 3), exclude_same_camera=exclude)
        if expected is None:
            with pytest.raises(ValueError, match='No query has a match'):
                ranking_metrics(*data, **arguments)
        else:
            assert ranking_metrics(*data, **arguments) == pytest.approx(expected)

    @settings(deadline=None, max_examples=50)
    @given(small_data(cameras=1))
    def test_one_camera_has_no_match_unless_it_is_allowed(self, data):
        assert not rank_queries(*distance_and_protocol(*data)).matched.any()
        ranks = rank_queries(*distance_and_protocol(*data, exclude_same_camera=False))
        assert (ranks.matched == np.isin(data[2], data[3])).all()

    def test_many_ties(self):
        data = exact_data()
        distance = 2 - 2 * (data[0].astype(np.float64) @ data[1].T) / 16
        expected = textbook_ranking(distance, *data[2:], (1, 5, 10), True)
        assert ranking_metrics(*data) == pytest.approx(expected, abs=1e-12)


class TestProtocol:
    """One query, identity 1 at camera 1, and distances worked out by hand."""

    def rank(self, pids, cams, distance, **options):
        return ranking_metrics(
            None,
            None,
            [1],
            pids,
            [1],
            cams,
            topk=(1, 2),
            distance=[distance],
            **options,
        )

    def test_junk_and_same_camera_are_left_out_distractors_stay(self):
        # nearest first: junk, same camera, distractor, match, other identity, match
        pids, cams = [-1, 1, 0, 1, 2, 1], [2, 1, 2, 2, 2, 3]
        metrics = self.rank(pids, cams, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5])
        # left: distractor, match, other, match: precision 1/2 and 2/4
        assert metrics == {'mAP': 0.5, 'mINP': 0.5, 'CMC@1': 0.0, 'CMC@2': 1.0}

    def test_same_camera_may_count(self):
        pids, cams = [1, 0, 1], [1, 2, 2]
        distance = [0.1, 0.2, 0.3]
        metrics = self.rank(pids, cams, distance, exclude_same_camera=False)
        # ranks 1 and 3: precision 1/1 and 2/3
        assert metrics['mAP'] == pytest.approx((1 + 2 / 3) / 2)
        assert metrics['CMC@1'] == 1

    def test_tied_images_share_a_precision_and_are_ranked_by_index(self):
        wrong_first = self.rank([2, 1], [2, 2], [0.5, 0.5])
        match_first = self.rank([1, 2], [2, 2], [0.5, 0.5])
        assert wrong_first == {'mAP': 0.5, 'mINP': 0.5, 'CMC@1': 0.0, 'CMC@2': 1.0}
        assert match_first == {'mAP': 0.5, 'mINP': 1.0, 'CMC@1': 1.0, 'CMC@2': 1.0}

    def test_tied_matches_share_a_precision(self):
        # the two matches and the wrong image at 0.5: precision 2/3 for both
        metrics = self.rank([1, 2, 1], [2, 2, 2], [0.5, 0.5, 0.5])
        assert metrics['mAP'] == pytest.approx(2 / 3)

    def test_float64_distances_are_not_rounded(self):
        metrics = self.rank([2, 1], [2, 2], [0.5 + 1e-12, 0.5])
        assert metrics['mAP'] == 1

    def test_query_of_an_unmatched_identity_is_left_out_and_counted(self, tmp_path):
        log = tmp_path / 'run.log'
        MMLogger.get_instance('test_ranking', log_file=str(log))
        pids, cams = [1, 5], [1, 1]
        metrics = ranking_metrics(
            None, None, pids, [1], cams, [2], distance=[[1.0], [1.0]]
        )
        assert metrics['mAP'] == 1
        assert '1 of 2 queries have no match' in log.read_text()

    def test_junk_matches_no_junk(self):
        ranks = rank_queries(
            *distance_and_protocol(
                None,
                None,
                [-1, 1],
                [-1, 1],
                [1, 1],
                [2, 2],
                distance=[[0.0, 1], [0, 1]],
            )
        )
        assert ranks.matched.tolist() == [False, True]


class TestInput:
    def test_features_need_no_normalisation(self):
        data = exact_data()
        scaled = list(data)
        for i in range(2):
            powers = np.random.default_rng(i).integers(-20, 20, (len(data[i]), 1))
            scaled[i] = data[i] * 2.0**powers
        assert ranking_metrics(*scaled) == ranking_metrics(*data)

    @pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16])
    def test_tensors(self, data, dtype):
        tensors = [torch.from_numpy(part) for part in data]
        tensors[:2] = [part.to(dtype).requires_grad_() for part in tensors[:2]]
        rounded = [part.detach().float().numpy() for part in tensors[:2]]
        expected = ranking_metrics(*rounded, *data[2:])
        assert ranking_metrics(*tensors) == expected
        distance = torch.cdist(*(part.detach().float() for part in tensors[:2]))
        given = ranking_metrics(*tensors, distance=distance)
        assert given == ranking_metrics(
            None, None, *data[2:], distance=distance.numpy()
        )

    @pytest.mark.parametrize('chunk_bytes', [1, 5000])
    def test_chunks_change_nothing(self, golden, data, chunk_bytes, monkeypatch):
        exact, distance = exact_data(), golden['rerank_distance']
        expected = ranking_metrics(*exact), ranking_metrics(*data, distance=distance)
        monkeypatch.setattr(distances, 'CHUNK_BYTES', chunk_bytes)
        assert ranking_metrics(*exact) == expected[0]
        assert ranking_metrics(*data, distance=distance) == expected[1]

    @pytest.mark.parametrize('threads', [1, 7])
    def test_threads_change_nothing(self, golden, data, threads, monkeypatch):
        distance = golden['rerank_distance']
        expected = rank_queries(
            *distance_and_protocol(None, None, *data[2:], distance=distance)
        )
        monkeypatch.setattr(numba.config, 'NUMBA_NUM_THREADS', threads)
        for part, whole in zip(
            rank_queries(
                *distance_and_protocol(None, None, *data[2:], distance=distance)
            ),
            expected,
            strict=True,
        ):
            np.testing.assert_array_equal(part, whole)

    @pytest.mark.parametrize('kind', ['fortran', 'read-only', 'file', 'float16'])
    def test_kinds_of_given_distance(self, golden, data, kind, tmp_path):
        distance = golden['rerank_distance'].astype(np.float16).astype(np.float32)
        expected = ranking_metrics(*data, distance=distance)
        if kind == 'fortran':
            distance = np.asfortranarray(distance)
        elif kind == 'read-only':
            distance.flags.writeable = False
        elif kind == 'file':
            np.save(tmp_path / 'distance.npy', distance)
            distance = np.load(tmp_path / 'distance.npy', mmap_mode='r')
        else:
            distance = distance.astype(np.float16)
        assert ranking_metrics(*data, distance=distance) == expected

    def test_the_caller_s_arrays_are_left_alone(self, golden, data):
        arrays = [*data, golden['rerank_distance']]
        copies = [array.copy() for array in arrays]
        ranking_metrics(*data)
        ranking_metrics(*data, distance=arrays[-1])
        for array, copy in zip(arrays, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


class TestErrors:
    def test_all_cameras_equal(self, data):
        data[4:] = [np.zeros_like(cams) for cams in data[4:]]
        with pytest.raises(ValueError, match='exclude_same_camera=False'):
            ranking_metrics(*data)

    def test_no_shared_identity(self, data):
        data[2] = data[2] + 1000
        with pytest.raises(ValueError, match='under the same pids'):
            ranking_metrics(*data)

    @pytest.mark.parametrize('value', [np.nan, np.inf])
    @pytest.mark.parametrize('part', [0, 1])
    def test_features_that_are_not_finite(self, data, part, value):
        data[part] = data[part].copy()
        data[part][7, 3] = value
        with pytest.raises(ValueError, match=r'1 of \d+ rows .* row 7'):
            ranking_metrics(*data)

    def test_zero_feature(self, data):
        data[1] = data[1].copy()
        data[1][[4, 9]] = 0
        with pytest.raises(ValueError, match='2 of 900 rows of gallery_features are'):
            ranking_metrics(*data)

    @pytest.mark.parametrize('value', [np.nan, -np.inf])
    def test_distance_that_is_not_finite(self, golden, data, value):
        distance = golden['rerank_distance'].copy()
        distance[-1, -1] = value
        with pytest.raises(ValueError, match='distance holds NaN or infinite'):
            ranking_metrics(*data, distance=distance)

    @pytest.mark.parametrize('shape', [(150,), (0, 900)])
    def test_distance_that_is_no_matrix(self, data, shape):
        with pytest.raises(ValueError, match='distance must be a 2-D array'):
            ranking_metrics(*data, distance=np.ones(shape))

    def test_transposed_distance(self, golden, data):
        with pytest.raises(ValueError, match=r'query_pids .* 900 images, got 150'):
            ranking_metrics(*data, distance=golden['rerank_distance'].T)

    @pytest.mark.parametrize('part', [2, 3, 4, 5])
    def test_labels_of_another_length(self, data, part):
        data[part] = data[part][:-1]
        with pytest.raises(ValueError, match=f'{NAMES[part]} must hold one integer'):
            ranking_metrics(*data)

    def test_features_of_two_models(self, data):
        data[0] = data[0][:, :64]
        with pytest.raises(ValueError, match='64 columns, gallery_features 96'):
            ranking_metrics(*data)

    @pytest.mark.parametrize('topk', [(), 5, (0,), (1.5,), (1, -1)])
    def test_topk(self, data, topk):
        with pytest.raises(ValueError, match='topk must be'):
            ranking_metrics(*data, topk=topk)


@pytest.mark.parametrize(
    'device', ['cpu', pytest.param('cuda:0', marks=pytest.mark.gpu)]
)
def test_products_of_a_device(data, device, monkeypatch):
    """The features go there in parts; TF32 and autocast do not reach them."""
    expected = ranking_metrics(*data)
    monkeypatch.setattr(distances, 'own_device', lambda: device)
    monkeypatch.setattr(device_search, '_ROWS_PER_PART', 100)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert ranking_metrics(*data) == pytest.approx(expected, abs=1e-6)
