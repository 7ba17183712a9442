from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample
from torch import distributed
from two_ranks import run_on_two_ranks

from mmreid_cc.evaluation import ranking_metrics, re_ranking, roc_curve
from mmreid_cc.evaluation.metrics import ReIDMetric

GOLDEN = dict(np.load(Path(__file__).parents[1] / 'data' / 'ranking.npz'))
ARRAYS = [
    GOLDEN[f'{part}_{name}']
    for name in ('features', 'pids', 'cams')
    for part in ('query', 'gallery')
]
QUERIES, SIZE = 150, 1050


def data_samples():
    """One sample for each image, as the model's `predict` gives it."""
    features, pids, cams = (np.concatenate(ARRAYS[i : i + 2]) for i in (0, 2, 4))
    samples = []
    for i in range(SIZE):
        meta = dict(pid=int(pids[i]), cam_id=int(cams[i]), sample_idx=i)
        sample = DataSample(metainfo=dict(**meta, is_query=i < QUERIES))
        sample.set_field(torch.from_numpy(features[i]), 'feature')
        samples.append(sample)
    return samples


def evaluate(samples, size=SIZE, batch_size=64, **arguments):
    evaluator = Evaluator(ReIDMetric(**arguments))
    for first in range(0, len(samples), batch_size):
        evaluator.process(samples[first : first + batch_size])
    return evaluator.evaluate(size)


def percent(metrics, suffix=''):
    return {f'reid/{name}{suffix}': 100 * value for name, value in metrics.items()}


def test_golden_in_percent():
    metrics = evaluate(data_samples())
    assert metrics == percent(ranking_metrics(*ARRAYS))
    assert metrics['reid/mAP'] == pytest.approx(14.671278692464795, abs=1e-4)
    assert list(metrics) == [
        'reid/mAP',
        'reid/mINP',
        'reid/CMC@1',
        'reid/CMC@5',
        'reid/CMC@10',
    ]


def test_order_and_repeats_do_not_matter():
    samples = data_samples()
    order = np.random.default_rng(0).permutation(SIZE)
    shuffled = [samples[i] for i in [*order, *order[:7]]]
    assert evaluate(shuffled) == evaluate(samples)


def test_arguments():
    metrics = evaluate(
        data_samples(), topk=[20], exclude_same_camera=False, prefix='market'
    )
    expected = ranking_metrics(*ARRAYS, topk=(20,), exclude_same_camera=False)
    assert metrics == {f'market/{name}': 100 * v for name, v in expected.items()}


def test_rerank_adds_its_metrics_to_the_plain_ones():
    metrics = evaluate(data_samples(), rerank=True)
    distance = re_ranking(*ARRAYS[:2])
    reranked = ranking_metrics(*ARRAYS, distance=distance)
    assert metrics == percent(ranking_metrics(*ARRAYS)) | percent(reranked, '_rerank')
    expected = 100 * float(GOLDEN['rerank_mAP'])
    assert metrics['reid/mAP_rerank'] == pytest.approx(expected, abs=1e-4)


def test_rerank_takes_parameters():
    metrics = evaluate(data_samples(), rerank=dict(k1=10, lambda_value=0.8))
    distance = re_ranking(*ARRAYS[:2], k1=10, lambda_value=0.8)
    reranked = ranking_metrics(*ARRAYS, distance=distance)
    assert metrics['reid/mAP_rerank'] == 100 * reranked['mAP']


def test_junk_is_no_neighbour():
    samples = data_samples()
    expected = evaluate(samples, rerank=True)
    for i in range(30):
        junk = samples[i].clone()
        junk.set_metainfo(dict(pid=-1, is_query=False, sample_idx=SIZE + i))
        samples.append(junk)
    metrics = evaluate(samples, size=SIZE + 30, rerank=True)
    assert metrics == pytest.approx(expected, abs=1e-3)


def test_camera_pairs():
    metrics = evaluate(data_samples(), per_camera_pair=True)
    cameras = range(5)
    pairs = {f'c{a}_c{b}' for a in cameras for b in cameras if a != b}
    assert {name[9:] for name in metrics if name.startswith('reid/mAP_')} == pairs
    assert {name[11:] for name in metrics if name.startswith('reid/CMC@1_')} == pairs
    query, gallery = ARRAYS[4] == 0, ARRAYS[5] == 3
    part = [
        array[mask] for array, mask in zip(ARRAYS, [query, gallery] * 3, strict=True)
    ]
    expected = 100 * ranking_metrics(*part)['mAP']
    assert metrics['reid/mAP_c0_c3'] == pytest.approx(expected)


def test_tpr_at_fpr():
    metrics = evaluate(data_samples(), tpr_at_fpr=(1e-2, 1e-3), rerank=True)
    curve = roc_curve(*ARRAYS)
    assert metrics['reid/TPR@FPR=0.01'] == 100 * curve.tpr_at(0.01)
    assert metrics['reid/TPR@FPR=0.001'] == 100 * curve.tpr_at(0.001)
    assert 0 < metrics['reid/TPR@FPR=0.001'] < metrics['reid/TPR@FPR=0.01'] < 100
    assert [name for name in metrics if 'TPR' in name] == list(metrics)[-2:]


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_a_batch_keeps_neither_its_network_output_nor_its_graph(dtype):
    output = torch.ones(4, 500, 8, dtype=dtype, requires_grad=True) * 2
    samples = data_samples()[:4]
    for sample, rows in zip(samples, output, strict=True):
        sample.set_field(rows[0], 'feature', dtype=None)
    metric = ReIDMetric()
    metric.process(None, [sample.to_dict() for sample in samples])
    features, fields = metric.results[0]
    assert features.dtype == torch.float32
    assert features.untyped_storage().nbytes() == 4 * 8 * 4
    assert not features.requires_grad
    assert fields.shape == (4, 4)


def test_nothing_is_kept():
    metric = ReIDMetric()
    before = set(vars(metric))
    samples = [sample.to_dict() for sample in data_samples()]
    for _ in range(2):
        metric.process(None, samples)
        metric.evaluate(SIZE)
        assert metric.results == []
    assert set(vars(metric)) == before


class TestErrors:
    @pytest.mark.parametrize('field', ['is_query', 'cam_id', 'sample_idx'])
    def test_field_that_the_data_set_must_provide(self, field):
        sample = data_samples()[0].to_dict()
        del sample[field]
        with pytest.raises(ValueError, match=rf"needs \['{field}'\].*PackInputs"):
            ReIDMetric().process(None, [sample])

    def test_field_that_the_head_must_provide(self):
        sample = data_samples()[0].to_dict()
        del sample['feature']
        with pytest.raises(ValueError, match='The head must set `feature`'):
            ReIDMetric().process(None, [sample])

    @pytest.mark.parametrize(
        ('part', 'message'),
        [
            (slice(QUERIES), '150 queries and 0 gallery images'),
            (slice(QUERIES, None), '0 queries and 900 gallery images'),
        ],
    )
    def test_one_part_only(self, part, message):
        samples = data_samples()[part]
        for i, sample in enumerate(samples):
            sample.set_metainfo(dict(sample_idx=i))
        with pytest.raises(ValueError, match=message):
            evaluate(samples, size=len(samples))

    def test_samples_that_were_not_visited(self):
        with pytest.raises(ValueError, match='50 of 1050 samples are missing'):
            evaluate(data_samples()[:1000])

    def test_nothing_processed(self):
        with pytest.raises(ValueError, match='has processed no data sample'):
            ReIDMetric().evaluate(SIZE)

    @pytest.mark.parametrize('rerank', [dict(k3=1), 'yes', None])
    def test_rerank(self, rerank):
        with pytest.raises(ValueError, match=r'rerank must be .*lambda_value'):
            ReIDMetric(rerank=rerank)

    @pytest.mark.parametrize('tpr_at_fpr', [1e-3, (0.0,), (1,), ('0.1',)])
    def test_tpr_at_fpr(self, tpr_at_fpr):
        with pytest.raises(ValueError, match='tpr_at_fpr must be a sequence'):
            ReIDMetric(tpr_at_fpr=tpr_at_fpr)

    def test_topk(self):
        with pytest.raises(ValueError, match='topk must be'):
            ReIDMetric(topk=(0,))


def evaluate_a_share():
    """Evaluate in two uneven shares, the second with repeats of the first."""
    samples = data_samples()
    share = samples[:301] if distributed.get_rank() == 0 else samples[290:]
    return evaluate(share)


def test_two_ranks_agree_with_one_process(tmp_path):
    expected = evaluate(data_samples())
    for metrics in run_on_two_ranks(evaluate_a_share, tmp_path):
        assert metrics == expected


def messages_of_errors():
    """What each of two ranks hears of what is wrong, without waiting for the other."""
    rank = distributed.get_rank()
    samples = data_samples()
    for sample in samples:
        sample.set_metainfo(dict(cam_id=0))
    messages = []
    for share, size in (
        (samples[rank::2], SIZE),  # computed by rank 0 only: no query has a match
        (samples[rank:1000:2], SIZE),  # 50 samples are missing
        (samples[:10] if rank == 0 else [], 10),  # rank 1 has none
    ):
        try:
            evaluate(share, size=size)
        except ValueError as error:
            messages.append(str(error))
    # The group still works: no collective of one rank is left without the other's.
    ranks = [None, None]
    distributed.all_gather_object(ranks, rank)
    return [*messages, ranks]


def test_every_rank_hears_of_an_error(tmp_path):
    for messages in run_on_two_ranks(messages_of_errors, tmp_path):
        assert len(messages) == 4
        assert 'No query has a match' in messages[0]
        assert '50 of 1050 samples are missing' in messages[1]
        assert 'no data sample on rank 1 of 2' in messages[2]
        assert messages[3] == [0, 1]
