"""What makes a short run short: imported by the tests, and where tools are started.

Of a run of some iterations, a third was yapf, which lays out the config that is logged
and saved, and a third was the collection of garbage by every data set that is built.
To wait until a checkpoint is on the disk takes as long as some iterations; processes
that are killed lose nothing without it. Of a report, half was the encoding of pictures.
Two thirds of the import of LanceDB are models of what it talks to in a cloud. And the
log of each run names the compiler of C, for which MMEngine imports ``setuptools``.
Machine code that is loaded here is there in all processes that are forked.
"""

import gc
import os
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
from yapf.yapflib import yapf_api


def as_it_is(text: str, **_: Any) -> tuple[str, bool]:
    """Stand for yapf's function; the text is Python already."""
    return text, False


yapf_api.FormatCode = as_it_is

import mmpretrain  # noqa: E402, F401  takes the function when it is imported
from mmengine.runner import runner  # noqa: E402

import mmreid_cc.engine  # noqa: E402, F401
from mmreid_cc.clustering import jaccard_distance  # noqa: E402
from mmreid_cc.clustering.dbscan import dbscan  # noqa: E402
from mmreid_cc.evaluation import ranking_metrics  # noqa: E402
from mmreid_cc.visualization import figures  # noqa: E402

figures.DPI = 60  # of a file: a sixth of the pixels
runner.collect_env = cache(runner.collect_env)
runner.collect_env()

# Without a search for neighbours: the threads of faiss do not survive a fork.
features, numbers = np.eye(4, dtype=np.float32), np.arange(4)
nearest = (numbers[:, None] + numbers) % 4
dbscan(jaccard_distance(features, 3, 2, neighbors=nearest[:, :3]), 2)
ranking_metrics(features, features, numbers, numbers, numbers, numbers + 1)

with suppress(ImportError):  # without LanceDB
    import lance_namespace  # noqa: F401

os.fsync = lambda file: None

gc.freeze()  # what was imported until now stays, and is not looked through
