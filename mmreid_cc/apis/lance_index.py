"""The index of a LanceDB gallery, and the settings of the search in it."""

import json
import logging
import math
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from mmreid_cc.clustering.similarity import pair_similarities

from .lance_rows import ROW_ID, TableRows
from .lance_table import EMBEDDING, as_array
from .query_search import nearest_images

# Below, all rows are compared: with 20,000 × 256 numbers some 15 ms a query.
FEWEST_INDEXED_ROWS = 20_000
# Of the ten nearest, the row itself among them, which is always found. New images find
# up to one point less (docs/scaling.md).
LEAST_RECALL = 0.98
SETTINGS = 'mmreid_cc.search'  # in the metadata of the column of embeddings
_LISTED = 10
_TESTED_ROWS = 200  # for a standard error below 1 %
_FEWEST_PROBES_SHARE = 16
_FEWEST_CANDIDATES = 100
_CANDIDATES_PER_RESULT = 3  # beyond the first ten
_PROBED_PER_CANDIDATE = 4  # at least; else all rows are compared


class SearchSettings(NamedTuple):
    """Settings of the search in an index.

    Attributes:
        probes (int): Cells that a query looks through; 0: there is no index.
        candidates (int): Rows that are compared exactly for ten results, at least 1.
        recall (float): Estimated share of the ten nearest rows that are found.
    """

    probes: int
    candidates: int
    recall: float

    def candidates_for(self, topk: int) -> int:
        """Return how many rows are compared exactly for so many results."""
        return self.candidates + _CANDIDATES_PER_RESULT * max(topk - _LISTED, 0)


NO_INDEX = SearchSettings(0, 1, 1.0)


def build_index(table: Any) -> None:
    """Index the embeddings of a large table, and store the settings of the search.

    The index has √N cells of k-means, and in each cell one bit per dimension (RaBitQ),
    or the embeddings themselves if D is not a multiple of 8. Probes and candidates are
    then raised until the ten best of 200 rows, drawn with a fixed seed, contain 98 % of
    the true ones, as :func:`mmreid_cc.clustering.neighbor_recall` counts them.

    Args:
        table (lancedb.Table): Table of N rows; an index of it is replaced.

    Source: Gao and Long, RaBitQ: quantizing high-dimensional vectors with a
    theoretical error bound for approximate nearest neighbor search, SIGMOD 2024.

    Example:
        >>> build_index(table)
        >>> read_settings(table).recall
        0.975
    """
    from lancedb.index import IvfFlat, IvfRq

    count = table.count_rows()
    if count < FEWEST_INDEXED_ROWS:
        return
    dim = table.schema.field(EMBEDDING).type.list_size
    kind = IvfRq if dim % 8 == 0 else IvfFlat
    cells = math.isqrt(count)
    table.create_index(EMBEDDING, config=kind('dot', num_partitions=cells))
    calibrate(table)


def calibrate(table: Any) -> None:
    """Find the settings of the search in an index, and write them to the table.

    Args:
        table (lancedb.Table): Table with an index, and perhaps rows that are not in it
            yet.

    Example:
        >>> calibrate(table)
    """
    rows = TableRows(table)
    cells = math.isqrt(rows.count)
    rng = np.random.default_rng(0)
    tested = rng.choice(rows.count, min(_TESTED_ROWS, rows.count), replace=False)
    queries = rows.read(EMBEDDING, np.sort(tested))
    listed = min(_LISTED, rows.count)
    least = _exact_similarities(rows, queries, listed)[:, -1:]
    probes = max(1.0, cells / _FEWEST_PROBES_SHARE)
    candidates = float(max(_FEWEST_CANDIDATES, listed))
    while True:
        settings = SearchSettings(math.ceil(probes), math.ceil(candidates), 1.0)
        everything = probes >= cells and candidates >= rows.count
        missed = 0
        for query, tenth in zip(queries, least, strict=True):
            found = proposed_rows(rows, query, listed, settings)[1][:listed]
            missed += listed - np.count_nonzero(found >= tenth)
            settings = settings._replace(recall=1 - missed / (listed * len(queries)))
            if settings.recall < LEAST_RECALL and not everything:
                break  # however many the other queries find
        else:
            break
        probes, candidates = min(1.5 * probes, cells), 1.25 * candidates
    write_settings(table, settings)
    print_log(
        f'LanceGallery: the index finds {settings.recall:.1%} of the {listed} nearest '
        f'of {rows.count} rows (estimated on {len(queries)} of them), with '
        f'{settings.probes} of {cells} cells and {settings.candidates} candidates a '
        'query.',
        logger='current',
        level=logging.INFO,
    )


def proposed_rows(
    rows: TableRows, query: np.ndarray, topk: int, settings: SearchSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Order the rows that LanceDB proposes for a query by their exact similarity.

    Args:
        rows (TableRows): Rows to search in.
        query (np.ndarray): (D,) float32.
        topk (int): The number of results; at least as many rows are proposed.
        settings (SearchSettings): Settings of the index.

    Returns:
        tuple[np.ndarray, np.ndarray, np.ndarray]: Positions (C,) int64, inner products
        (C,) float32, best first, ties by position; and the embeddings (C, D).

    Example:
        >>> positions, similarities, _ = proposed_rows(rows, query, 10, NO_INDEX)
    """
    search = rows.table.search(query).distance_type('dot').with_row_id(True)
    count = settings.candidates_for(topk)
    probed = settings.probes * math.isqrt(rows.count)  # rows in so many cells of √N
    if probed >= _PROBED_PER_CANDIDATE * count:
        search = search.nprobes(settings.probes)
    else:  # no index, or a list so long that the cells hold few rows beyond it
        search, count = search.bypass_vector_index(), topk + _LISTED
    columns = [EMBEDDING, ROW_ID, '_distance']
    table = search.limit(min(count, rows.count)).select(columns).to_arrow()
    positions = rows.positions(table[ROW_ID].to_numpy())
    order = np.argsort(positions)
    positions, found = positions[order], as_array(table[EMBEDDING])[order]
    similarities = pair_similarities(
        query[None],
        found,
        np.array([0, len(found)]),
        np.arange(len(found), dtype=np.int32),
    )
    best = np.argsort(-similarities, kind='stable')
    return positions[best], similarities[best], found[best]


def read_settings(table: Any) -> SearchSettings:
    """Read the settings of the search in the index of a table.

    Args:
        table (lancedb.Table): A gallery.

    Returns:
        SearchSettings: The settings; :data:`NO_INDEX` if there is no calibrated index.

    Example:
        >>> read_settings(table)
        SearchSettings(probes=0, candidates=1, recall=1.0)
    """
    text = (table.schema.field(EMBEDDING).metadata or {}).get(SETTINGS.encode())
    return NO_INDEX if text is None else SearchSettings(**json.loads(text))


def write_settings(table: Any, settings: SearchSettings) -> None:
    """Write the settings of the search in the index of a table.

    Args:
        table (lancedb.Table): A gallery.
        settings (SearchSettings): Settings that :func:`read_settings` reads.

    Example:
        >>> write_settings(table, SearchSettings(300, 230, 0.975))
    """
    text = json.dumps(settings._asdict())
    table.update_field_metadata({'path': EMBEDDING, 'metadata': {SETTINGS: text}})


def _exact_similarities(rows: TableRows, queries: np.ndarray, k: int) -> np.ndarray:
    """Return the k largest inner products of each query with all rows, (Q, k)."""
    best = np.full((len(queries), k), -np.inf, dtype=np.float32)
    for block in rows.blocks(EMBEDDING):
        found = nearest_images(queries, block, min(k, len(block)))[1]
        best = -np.sort(-np.concatenate([best, found], axis=1), axis=1)[:, :k]
    return best
