"""DBSCAN of features in files, stage by stage; no finished part is computed again."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from threadpoolctl import threadpool_limits

from mmreid_cc.atomic_writing import replacing
from mmreid_cc.clustering.auto_dbscan import AutoDBSCAN
from mmreid_cc.clustering.dbscan import DBSCAN
from mmreid_cc.clustering.encoding_twins import find_twins
from mmreid_cc.clustering.input_checks import check_count
from mmreid_cc.clustering.inverted_file import training_rows
from mmreid_cc.clustering.knn import proposals_for
from mmreid_cc.clustering.neighbor_refinement import ROUNDS
from mmreid_cc.clustering.progress import track

from . import cells, distances, neighbors
from .components import label_rows
from .feature_files import FeatureFiles, in_batches, inspect_files
from .job import Job
from .layout import Layout, discard, stage_file
from .row_files import read_places, write_rows
from .tasks import Task, Tasks

_PLAN, _SETTINGS = 'plan.json', 'settings.json'
_MOST_ROWS_PER_GROUP = 131_072
_GROUPS_PER_WORKER = 4  # so that none waits long for the last
_ROWS_OF_SAMPLE = 20_000  # by which settings are found
_RUNS_OF_SAMPLE = 4
_ROWS_OF_RECALL = 1000
_EMPTY = np.empty(0, dtype=np.int32)


def cluster_files(
    files: Sequence[str | Path],
    folder: str | Path,
    tasks: Tasks,
    settings: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """Cluster features in files by DBSCAN on the Jaccard distance.

    Cells of k-means divide the rows into groups of similar rows. A task works on one
    group, and reads what it needs of other groups, at most 16,384 rows and their
    neighbourhoods at once. It writes its results to a Parquet file. The next stage
    reads this file, and so does a run that continues after an interruption.

    For the same neighbours, the labels equal those of :class:`DBSCAN`. The neighbours
    are those of ``knn(method='ivf')``, except that ties may be resolved in another
    order.

    Args:
        files (Sequence[str | Path]): Parquet files, see :func:`inspect_files`. Features
            in half precision are not normalised again.
        folder (str | Path): The results of the stages. It is created, and all machines
            must see it.
        tasks (Tasks): Who runs tasks.
        settings (Mapping[str, Any] | None): The arguments ``eps``, ``min_samples``,
            ``k1`` and ``k2`` of :class:`DBSCAN`. Defaults to None: :class:`AutoDBSCAN`
            finds them on 20,000 rows. These are four runs of rows in the order of
            cells, so that they hold nearly all images of a person.

    Returns:
        np.ndarray: Labels 0…C − 1, and −1 for un-clustered rows; (N,) int64.

    Raises:
        FileNotFoundError: If a file is missing.
        OSError: If the disk of the folder is full.
        ValueError: If the files do not belong together, features are not normalised, or
            the folder holds a run with other files or settings.

    Example:
        >>> with RayTasks() as tasks:
        ...     labels = cluster_files(['features.parquet'], 'work', tasks)
    """
    if settings is not None:
        settings = checked_settings(settings)
    known = inspect_files(files)
    folder = Path(folder).resolve()
    plan = _plan(folder, known, settings, tasks.workers)
    return Run(folder, known, plan['rows_per_group'], tasks).labels(settings)


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Complete settings of DBSCAN by its defaults.

    Raises:
        ValueError: If a setting is unknown or out of range.

    Example:
        >>> checked_settings(dict(eps=0.55))
        {'eps': 0.55, 'min_samples': 4, 'k1': 30, 'k2': 6}
    """
    names = ('eps', 'min_samples', 'k1', 'k2')
    unknown = set(settings) - set(names)
    if unknown:
        raise ValueError(
            f'DBSCAN has the settings {", ".join(names)}, not '
            f'{", ".join(sorted(unknown))}.'
        )
    clusterer = DBSCAN(**settings)
    return {name: getattr(clusterer, name) for name in names}


def _plan(
    folder: Path,
    files: FeatureFiles,
    settings: Mapping[str, Any] | None,
    workers: int,
) -> dict[str, Any]:
    """Begin a folder, or continue one that was begun with the same files and
    settings.
    """
    size = -(-files.rows // (_GROUPS_PER_WORKER * workers))
    plan = dict(
        rows=files.rows,
        dim=files.dim,
        files=files.digest,
        settings='auto' if settings is None else dict(settings),
        rows_per_group=min(size, _MOST_ROWS_PER_GROUP),
    )
    file = folder / _PLAN
    if file.is_file():
        begun = json.loads(file.read_text())
        plan['rows_per_group'] = begun['rows_per_group']  # with any workers
        differs = [
            f'{k} {begun[k]}, now {plan[k]}' for k in plan if begun[k] != plan[k]
        ]
        if differs:
            raise ValueError(
                f'{folder} was begun with other files or settings: '
                f'{"; ".join(differs)}. Name another --work-dir, or remove this one.'
            )
    else:
        with replacing(file) as part:
            part.write_text(json.dumps(plan))
    return plan


class Run:
    """A clustering that computes what its folder does not hold yet.

    Args:
        folder (Path): The results of the stages.
        files (FeatureFiles): The features.
        rows_per_group (int): The number of rows in a group.
        tasks (Tasks): Who runs tasks.
    """

    def __init__(
        self, folder: Path, files: FeatureFiles, rows_per_group: int, tasks: Tasks
    ) -> None:
        check_count('rows_per_group', rows_per_group)
        self.files, self.tasks = files, tasks
        layout = Layout(str(folder), rows_per_group, _EMPTY, _EMPTY)
        self.job = Job(in_batches(files.parts, rows_per_group), layout)

    def labels(self, settings: Mapping[str, Any] | None) -> np.ndarray:
        """Compute all labels, (N,) int64."""
        self.sort_rows()
        found = self.find_settings() if settings is None else settings
        if isinstance(found, int):
            return np.full(self.files.rows, found, dtype=np.int64)
        self.job = replace(self.job, settings=found)
        self.find_neighbors()
        self.find_distances()
        self.job = self.with_twins()
        with self.tasks.measured('labels'):
            return label_rows(
                self.job.layout,
                self.job.twins,
                found['eps'],
                found['min_samples'],
                lambda groups: iter(track(groups, 'labels', len(groups))),
            )

    def sort_rows(self) -> None:
        """Find cells, and sort the rows by them."""
        batches = len(self.job.batches)
        self.job = replace(self.job, centroids=self.centroids())
        self.do('cells', cells.assign_cells, batches)
        with self.tasks.measured('order'):
            self.job = self.sorted_by_cells()
        if not self.has('features'):
            self.do('scattered', cells.scatter_features, batches)
            self.do('features', cells.gather_features)
        discard(self.job.layout.folder, ['scattered'])

    def centroids(self) -> np.ndarray:
        """Return the centroids of all cells, (C, D) float32."""
        file = stage_file(self.job.layout.folder, 'centroids', 0)
        if not file.is_file():
            chosen = training_rows(self.files.rows, np.random.default_rng(0))
            job = replace(self.job, chosen=chosen)
            batches = range(len(job.batches))
            parts = self.tasks.run('sample', cells.sample_batch, job, batches)
            with (
                self.tasks.measured('centroids'),
                threadpool_limits(1, user_api='blas'),
            ):
                found = cells.find_centroids(np.concatenate(parts), self.files.rows)
            file.parent.mkdir(exist_ok=True)
            write_rows(file, dict(centroid=found))
        return read_places(file, ['centroid'])[0]

    def sorted_by_cells(self) -> Job:
        """Return the job with the place of each row."""
        layout = self.job.layout
        numbers = range(len(self.job.batches))
        files = [stage_file(layout.folder, 'cells', number) for number in numbers]
        found = np.concatenate([read_places(file, ['cell'])[0][:, 0] for file in files])
        order = np.argsort(found, kind='stable').astype(np.int32)
        places = np.empty_like(order)
        places[order] = np.arange(len(order), dtype=np.int32)
        starts = np.searchsorted(
            found[order], np.arange(len(self.job.centroids) + 1, dtype=found.dtype)
        )
        layout = replace(layout, order=order, places=places)
        return replace(self.job, layout=layout, starts=starts)

    def find_settings(self) -> dict[str, Any] | int:
        """Find the settings of DBSCAN on a sample, or one label for all rows if none
        fit.

        The sample takes runs of rows in the order of cells, so that it holds nearly all
        images of a person.
        """
        file = Path(self.job.layout.folder, _SETTINGS)
        if not file.is_file():
            order = self.job.layout.order
            rows = order
            if len(order) > _ROWS_OF_SAMPLE:
                size = _ROWS_OF_SAMPLE // _RUNS_OF_SAMPLE
                firsts = np.linspace(0, len(order) - size, _RUNS_OF_SAMPLE).astype(int)
                rows = np.concatenate([order[f : f + size] for f in firsts])
            (features,) = self.job.layout.read('features', np.sort(rows), 'feature')
            clusterer = AutoDBSCAN()
            with self.tasks.measured('settings'):
                labels = clusterer.fit_predict(features)
            print_log(
                f'Settings were found on {len(rows)} of {len(order)} images, and the '
                f'following numbers are for these: {clusterer.explanation()}',
                logger='current',
                level=logging.INFO,
            )
            found: dict[str, Any] | int | None = clusterer.chosen
            if found is None:  # one cluster, or none: that holds for these images only
                found = int(labels[0]) if len(rows) == len(order) else -1
            with replacing(file) as part:
                part.write_text(json.dumps(found))
        return json.loads(file.read_text())

    def find_neighbors(self) -> None:
        """Find the neighbours of all rows."""
        if self.has('neighbors'):
            return
        layout = self.job.layout
        count = proposals_for(min(self.job.settings['k1'], self.files.rows))
        count = min(count, self.files.rows)
        self.do('proposals-0', partial(neighbors.propose, count=count))
        for turn in range(1, ROUNDS + 1):
            if not self.has(f'proposals-{turn}'):
                if not self.has(f'lists-{turn}'):
                    self.do(
                        f'reverse-{turn}', partial(neighbors.scatter_reverse, turn=turn)
                    )
                    self.do(
                        f'lists-{turn}', partial(neighbors.enter_reverse, turn=turn)
                    )
                discard(layout.folder, [f'reverse-{turn}'])
                self.do(f'proposals-{turn}', partial(neighbors.refine, turn=turn))
        self.do('neighbors', partial(neighbors.rank, turn=ROUNDS))
        old = [f'{s}-{t}' for s in ('proposals', 'lists') for t in range(ROUNDS + 1)]
        discard(layout.folder, old)
        self.log_recall()

    def log_recall(self) -> None:
        """Estimate and log the share of true neighbours, as ``knn`` does."""
        layout = self.job.layout
        rng = np.random.default_rng(0)
        n_rows = len(layout.order)
        size = min(n_rows, _ROWS_OF_RECALL)
        rows = np.sort(rng.choice(n_rows, size, replace=False))
        job = replace(self.job, chosen=rows)
        groups = range(layout.groups)
        parts = self.tasks.run('recall', neighbors.search_exactly, job, groups)
        (found,) = layout.read('neighbors', rows, 'similarity')
        exact = -np.sort(-np.concatenate(parts, axis=1), axis=1)[:, : found.shape[1]]
        recall = float((found >= exact[:, -1:]).mean())
        print_log(
            f'Found {recall:.1%} of the {found.shape[1]} nearest neighbours of '
            f'{n_rows} rows (estimated on {size} of them).',
            logger='current',
            level=logging.INFO,
        )

    def find_distances(self) -> None:
        """Find the Jaccard distances of all rows, up to ``eps``."""
        if self.has('distance'):
            return
        layout = self.job.layout
        if not self.has('columns'):
            self.do('mutual', distances.find_mutual)
            self.do('encoding', distances.encode_rows)
            self.do('expanded', distances.expand_rows)
            self.job = self.with_twins()
            self.do('crossed', distances.scatter_columns)
            self.do('columns', distances.gather_columns)
        self.job = self.with_twins()
        discard(layout.folder, ['mutual', 'encoding', 'crossed'])
        self.do('distance', distances.find_distances)
        discard(layout.folder, ['expanded', 'columns'])

    def with_twins(self) -> Job:
        """Return the job with the first row that has the same encoding, for each
        row.
        """
        layout = self.job.layout
        file = stage_file(layout.folder, 'twins', 0)
        if not file.is_file():
            with self.tasks.measured('twins'):
                hashes = np.empty((len(layout.order), 2), dtype=np.uint64)
                for group in range(layout.groups):
                    stage = stage_file(layout.folder, 'expanded', group)
                    hashes[layout.rows(group)] = read_places(stage, ['hash'])[0]
                file.parent.mkdir(exist_ok=True)
                write_rows(file, dict(twin=find_twins(hashes)[:, None]))
        return replace(self.job, twins=read_places(file, ['twin'])[0][:, 0])

    def has(self, stage: str, count: int | None = None) -> bool:
        """Return whether a stage is complete."""
        return not self.missing(stage, count)

    def missing(self, stage: str, count: int | None = None) -> list[int]:
        """Return the groups of a stage that are missing, or the batches if there is a
        count.
        """
        folder = self.job.layout.folder
        numbers = range(self.job.layout.groups if count is None else count)
        return [n for n in numbers if not stage_file(folder, stage, n).is_file()]

    def do(self, stage: str, task: Task, count: int | None = None) -> None:
        """Run the tasks of a stage that are missing."""
        Path(self.job.layout.folder, stage).mkdir(exist_ok=True)
        self.tasks.run(stage, task, self.job, self.missing(stage, count))
