import pytest
import torch
from torch import distributed
from two_ranks import run_on_two_ranks

from mmreid_cc.evaluation.gather import gather_by_index


def uneven_shares():
    """Rank 0 holds 3 rows, rank 1 holds 5, among them repeats of other content."""
    if distributed.get_rank() == 0:
        indices = torch.tensor([4, 5, 2])
        rows = torch.tensor([[5.0, 50], [6, 60], [3, 30]])
    else:
        indices = torch.tensor([1, 3, 0, 5, 3])
        rows = torch.tensor([[2.0, 20], [4, 40], [1, 10], [-7, -7], [-8, -8]])
    results = [gather_by_index(rows, indices, 6), gather_by_index(indices, indices, 6)]
    try:
        gather_by_index(rows, indices, 8)
    except ValueError as error:
        results.append(str(error))
    return results


def test_uneven_shares_of_two_ranks(tmp_path):
    expected = torch.arange(1.0, 7)[:, None] * torch.tensor([1, 10])
    for rows, indices, error in run_on_two_ranks(uneven_shares, tmp_path):
        # the first row of the lowest rank stays, and −7 and −8 go
        assert torch.equal(rows, expected)
        assert torch.equal(indices, torch.arange(6))
        assert '2 of 8 samples are missing, the first is sample 6' in error


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16, torch.int64])
def test_one_process_orders_and_drops_repeats(dtype):
    values = torch.tensor([[[2]], [[0]], [[1]], [[9]]], dtype=dtype)
    gathered = gather_by_index(values, torch.tensor([2, 0, 1, 0]), size=3)
    assert torch.equal(gathered, torch.arange(3, dtype=dtype).view(3, 1, 1))
    assert gathered.dtype == dtype


def test_missing_samples():
    with pytest.raises(ValueError, match=r'2 of 4 samples are missing, .* sample 1'):
        gather_by_index(torch.zeros(2, 3), torch.tensor([0, 3]), size=4)


@pytest.mark.parametrize('index', [-1, 2])
def test_index_of_another_data_set(index):
    with pytest.raises(ValueError, match='a data set of 2 samples has 0…1'):
        gather_by_index(torch.zeros(2), torch.tensor([0, index]), size=2)


def test_lengths_that_differ():
    with pytest.raises(ValueError, match=r'\(2, 3\) values need indices'):
        gather_by_index(torch.zeros(2, 3), torch.tensor([0, 1, 2]), size=3)
