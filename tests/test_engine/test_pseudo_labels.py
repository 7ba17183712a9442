"""An error of one process in a search that all share."""

import pytest
import torch
from torch import distributed
from two_ranks import run_on_two_ranks

from mmreid_cc.clustering import CLUSTERERS, knn
from mmreid_cc.engine.pseudo_labels import pseudo_labels


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
