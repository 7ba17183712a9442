"""Measure the search of a gallery on disk: milliseconds a query, recall, and memory.

Queries are images of the same people that are not in the gallery. Each stage runs in a
process of its own, on Linux. Its peak memory is that of the whole process; the memory
that the stage adds to the libraries is printed, too. Mapped files count in both.
"""

import argparse
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from feature_generator import generate_features

from mmreid_cc.apis import Gallery, LanceGallery

TOPK = 10


def write(folder: Path, count: int, dim: int, queries: int, seed: int) -> dict:
    """Draw embeddings, and write them to a file and to a table."""
    features, pids, cams = generate_features(count + queries, dim, seed=seed)
    mixed = np.random.default_rng(seed).permutation(count + queries)
    kept, asked = mixed[:count], mixed[count:]
    np.save(folder / 'queries.npy', features[asked])
    paths = [f'crops/{row:09d}.jpg' for row in range(count)]
    metadata = dict(pid=pids[kept], cam_id=cams[kept])
    Gallery(features[kept], paths, metadata).save(folder / 'gallery.npz')
    return {}


def index(folder: Path) -> dict:
    """Write the table and its index, from the mapped file."""
    gallery = Gallery.load(folder / 'gallery.npz')
    start = time.perf_counter()
    gallery.to_lance(folder / 'gallery.lance')
    return dict(seconds=time.perf_counter() - start)


def exact(folder: Path) -> dict:
    """Search in the file, all queries together and some alone."""
    gallery = Gallery.load(folder / 'gallery.npz')
    queries = np.load(folder / 'queries.npy')
    np.save(folder / 'exact.npy', gallery.search(queries, TOPK)[1])
    return dict(milliseconds=median_milliseconds(gallery, queries[:20]))


def search(folder: Path) -> dict:
    """Search in the table, query by query."""
    gallery = LanceGallery(folder / 'gallery.lance')
    queries = np.load(folder / 'queries.npy')
    gallery.search(queries[:1], TOPK)  # what is compiled or read once
    last = np.load(folder / 'exact.npy')[:, -1]
    found = [gallery.search(query[None], TOPK)[1][0] for query in queries]
    recall = np.mean([(f >= e).mean() for f, e in zip(found, last, strict=True)])
    cpu = time.process_time()
    milliseconds = median_milliseconds(gallery, queries)
    cpu = (time.process_time() - cpu) / len(queries) * 1e3
    return dict(
        milliseconds=milliseconds,
        cpu_milliseconds=cpu,
        recall=float(recall),
        estimated_recall=gallery.recall,
    )


def median_milliseconds(gallery: Any, queries: np.ndarray) -> float:
    """Return the wall-clock milliseconds of a single query."""
    seconds = []
    for query in queries:
        start = time.perf_counter()
        gallery.search(query[None], TOPK)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)) * 1e3


def measured(stage: Callable[..., dict], pipe: Any, *arguments: Any) -> None:
    """Run a stage, and send its measurements and its peak memory."""
    Path('/proc/self/clear_refs').write_text('5')  # the peak starts again
    before = memory_mb('VmRSS')
    result = stage(*arguments)
    peak = memory_mb('VmHWM')
    pipe.send(dict(result, peak_mb=peak, added_mb=peak - before))


def memory_mb(name: str) -> float:
    """Return the memory of this process as the system counts it."""
    status = Path('/proc/self/status').read_text().splitlines()
    return int(next(line for line in status if line.startswith(name)).split()[1]) / 1024


def alone(stage: Callable[..., dict], *arguments: Any) -> dict:
    """Run a stage in a process of its own."""
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measured, args=(stage, sender, *arguments))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, nargs='+', default=[100_000])
    parser.add_argument('--dim', type=int, default=256, help='dimensions')
    parser.add_argument('--queries', type=int, default=500)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--json', type=Path, help='write the figures to this file')
    args = parser.parse_args()
    figures = []
    for count in args.images:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            alone(write, folder, count, args.dim, args.queries, args.seed)
            stages = dict(index=alone(index, folder))
            stages['exact'] = alone(exact, folder)
            stages['search'] = alone(search, folder)
        for stage, result in stages.items():
            shown = ', '.join(f'{k} {v:.4g}' for k, v in result.items())
            print(f'{count} x {args.dim} {stage}: {shown}', flush=True)
        figures.append(dict(images=count, dim=args.dim, **stages))
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(figures, indent=2))


if __name__ == '__main__':
    main()
