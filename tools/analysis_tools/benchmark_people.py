"""Known people: how fast new tracks find them, and how well.

Without a gallery, seconds and memory on drawn embeddings. With a gallery that has the
metadata pid and cam_id, maybe track and time: portions against all at once, and the
estimated errors of the threshold against the true ones.
"""

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from feature_generator import clustered_features

from mmreid_cc.apis import Gallery, People
from mmreid_cc.apis.cameras import known_numbers
from mmreid_cc.apis.known_tracks import UNDECIDED, Tracks
from mmreid_cc.apis.person_matching import measure
from mmreid_cc.clustering import pair_f1
from mmreid_cc.clustering.tracks import number_tracks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('gallery', nargs='?', help='.npz of tools/extract_features.py')
    parser.add_argument('--known', type=int, default=100_000, help='known tracks')
    parser.add_argument('--new', type=int, default=1000, help='new tracks')
    parser.add_argument('--dim', type=int, default=512, help='of an embedding')
    parser.add_argument('--each', type=int, default=4, help='tracks of a person')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--seeds', type=int, default=3, help='orders of the portions')
    args = parser.parse_args()
    if args.gallery is None:
        print(json.dumps(speed(args)))
    else:
        quality(Gallery.load(args.gallery), args.seeds)


def speed(args: argparse.Namespace) -> dict[str, float]:
    """Seconds to load, assign and save; peak memory of the process."""
    rng = np.random.default_rng(0)
    people = drawn_people(rng, args)
    numbers = rng.choice(people.numbers, args.new)
    looks = people.tracks.embeddings[
        np.searchsorted(people.tracks.people, numbers)
    ].astype(np.float32)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'people.npz')
        people.save(file)
        del people
        for repeat in range(args.repeats):
            new = noisy(looks, rng)
            steps = [time.perf_counter()]
            cpu = time.process_time()
            loaded = People.load(file)
            steps.append(time.perf_counter())
            found = loaded.assign(new, rng.integers(8, size=args.new))
            steps.append(time.perf_counter())
            cpu = time.process_time() - cpu
            loaded.save(file)
            steps.append(time.perf_counter())
            took = dict(zip(('load', 'assign', 'save'), np.diff(steps), strict=True))
            took['cpu_of_load_and_assign'] = cpu
            if repeat:  # the first compiles, and reads the file
                for name, value in took.items():
                    seconds[name] = min(seconds.get(name, np.inf), float(value))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    right = float((found.people == numbers).mean())
    return dict(
        known=args.known,
        new=args.new,
        dim=args.dim,
        each=args.each,
        **{name: round(value, 3) for name, value in seconds.items()},
        peak_gb=round(peak, 2),
        right=round(right, 3),
        undecided=round(float((found.people == UNDECIDED).mean()), 3),
    )


def noisy(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other looks of the same people: cosine 0.8 or so."""
    noise = rng.standard_normal(features.shape, dtype=np.float32)
    features = features + 0.75 * noise / np.sqrt(features.shape[1])
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def drawn_people(rng: np.random.Generator, args: argparse.Namespace) -> People:
    """Known people, as if a clustering had found them."""
    people = People()
    count = args.known // args.each
    embeddings = np.empty((count * args.each, args.dim), dtype=np.float16)
    for first in range(0, count, 10_000):
        size = min(10_000, count - first)
        centres = rng.standard_normal((size, args.dim), dtype=np.float32)
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        rows = noisy(np.repeat(centres, args.each, axis=0), rng)
        embeddings[first * args.each : (first + size) * args.each] = rows
    total = len(embeddings)
    people.tracks = Tracks(
        embeddings,
        np.repeat(np.arange(count), args.each),
        rng.integers(8, size=total),
        np.full((total, 2), np.nan),
        np.full(total, 10),
        np.full(total, np.nan, dtype=np.float32),
        rng.integers(1 << 62, size=total),
    )
    people.cameras = [str(camera) for camera in range(8)]
    people._next = count
    return people
