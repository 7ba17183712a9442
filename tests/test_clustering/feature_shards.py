"""Files of features for tests, and what one machine makes of the same neighbours."""

import json

import numpy as np
from pyarrow import parquet

from mmreid_cc.apis.parquet_file import embedding_table
from mmreid_cc.clustering import jaccard_distance
from mmreid_cc.clustering.dbscan import dbscan
from mmreid_cc.clustering.sharded.driver import Run
from mmreid_cc.clustering.sharded.feature_files import inspect_files
from mmreid_cc.clustering.sharded.tasks import LocalTasks


def write_features(folder, features, bounds, model_hash='abc'):
    """Write features to several files, some perhaps without rows; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for first, last in zip([0, *bounds], [*bounds, len(features)], strict=True):
        paths = [f'crops/{row}.jpg' for row in range(first, last)]
        table = embedding_table(features[first:last], paths, {})
        file = folder / f'{len(files)}.parquet'
        known = {'model_hash': model_hash}
        parquet.write_table(table.replace_schema_metadata(known), file)
        files.append(file)
    return files


def found_neighbors(files, folder):
    """The lists of neighbours that a finished run has found, in the order of rows."""
    size = json.loads((folder / 'plan.json').read_text())['rows_per_group']
    run = Run(folder.resolve(), inspect_files(files), size, LocalTasks())
    run.sort_rows()
    rows = np.arange(len(run.job.layout.order))
    return run.job.layout.read('neighbors', rows, 'neighbor', 'similarity')


def labels_of_one_machine(features, neighbors, eps, min_samples, k1, k2):
    """Labels from the same neighbours, by one process."""
    distance = jaccard_distance(features, k1, k2, neighbors=neighbors, max_distance=eps)
    return dbscan(distance, min_samples)
