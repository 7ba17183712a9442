import pytest

from mmreid_cc.clustering import Share
from mmreid_cc.clustering.search_sharing import ALONE


@pytest.mark.parametrize('size', [1, 2, 7])
@pytest.mark.parametrize('n_rows', [1, 6, 100])
def test_shares_cover_all_rows_once_and_in_order(size, n_rows):
    covered = []
    for rank in range(size):
        first, last = Share(rank, size, lambda rows: rows).rows(n_rows)
        assert last - first in (n_rows // size, n_rows // size + 1)
        covered += range(first, last)
    assert covered == list(range(n_rows))


def test_one_process_has_all_rows():
    assert ALONE.rows(9) == (0, 9)
