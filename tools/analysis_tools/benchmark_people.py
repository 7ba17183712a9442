"""Measure how fast, and how well, new tracks are assigned to known people.

Without a gallery, it measures seconds and memory on random embeddings. With a gallery
that has the metadata pid and cam_id, and optionally track and time, it compares
portions with all at once, and the estimated errors of the threshold with the true ones.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from feature_generator import generate_features

from mmreid_cc.apis import Gallery, People
from mmreid_cc.apis.known_tracks import UNDECIDED, KnownTracks
from mmreid_cc.apis.metadata_numbers import known_numbers
from mmreid_cc.apis.person_matching import measure
from mmreid_cc.clustering import pair_f1
from mmreid_cc.clustering.tracks import number_tracks

PORTIONS = 10
NOBODY = -2  # who is not known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('gallery', nargs='?', help='.npz of tools/extract_features.py')
    parser.add_argument(
        '--known', type=int, default=100_000, help='number of known tracks'
    )
    parser.add_argument('--new', type=int, default=1000, help='number of new tracks')
    parser.add_argument(
        '--dim', type=int, default=512, help='dimensions of an embedding'
    )
    parser.add_argument('--each', type=int, default=4, help='tracks of each person')
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument(
        '--seeds', type=int, default=3, help='random orders of the portions'
    )
    args = parser.parse_args()
    if args.gallery is None:
        print(json.dumps(speed(args)))
    else:
        quality(Gallery.load(args.gallery), args.seeds)


def speed(args: argparse.Namespace) -> dict[str, float]:
    """Measure the seconds to load, assign and save, and the peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        drawing = multiprocessing.get_context('spawn').Process(
            target=draw, args=(folder, args)
        )
        drawing.start()  # in a process of its own, whose memory does not count
        drawing.join()
        file, new = Path(folder, 'people.npz'), np.load(Path(folder, 'new.npz'))
        best: dict[str, float] = {}
        for repeat in range(args.repeats + 1):
            took = {}
            cpu = time.process_time()
            start = time.perf_counter()
            people = People.load(file)
            took['load'] = time.perf_counter() - start
            start = time.perf_counter()
            found = people.assign(new['features'], new['cams'])
            took['assign'] = time.perf_counter() - start
            took['cpu'] = time.process_time() - cpu
            start = time.perf_counter()
            people.save(Path(folder, f'after_{repeat}.npz'))
            took['save'] = time.perf_counter() - start
            Path(folder, f'after_{repeat}.npz').unlink()
            if repeat:  # the first compiles, and reads the file
                best = {k: min(best.get(k, v), v) for k, v in took.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return dict(
        vars(args),
        **{f'{name}_seconds': round(value, 2) for name, value in best.items()},
        peak_gb=round(peak, 2),
        right=round(float((found.people == new['pids']).mean()), 3),
        undecided=round(float((found.people == UNDECIDED).mean()), 3),
    )


def draw(folder: str, args: argparse.Namespace) -> None:
    """Draw known people, as if a clustering had found them, and new tracks of them."""
    features, pids, cams = generate_features(
        args.known + args.new,
        args.dim,
        images_per_identity=args.each,
        noise=0.4,
        decay=0.2,
    )
    known = slice(args.new, None)
    people = People()
    people.tracks = KnownTracks(
        features[known].astype(np.float16),
        pids[known],
        cams[known],
        np.full((args.known, 2), np.nan),
        np.full(args.known, 10),
        np.full(args.known, np.nan, dtype=np.float32),
        np.random.default_rng(0).integers(1 << 62, size=args.known),
    )
    people.cameras = [str(camera) for camera in range(8)]
    people._next = int(pids.max()) + 1
    people.save(Path(folder, 'people.npz'))
    new = slice(args.new)
    seen = np.isin(pids[new], pids[known])
    truth = np.where(seen, pids[new], NOBODY)
    np.savez(
        Path(folder, 'new.npz'), features=features[new], cams=cams[new], pids=truth
    )


def quality(gallery: Gallery, seeds: int) -> None:
    """Compare portions with all at once, and estimated with true errors."""
    metadata = gallery.metadata
    missing = {'pid', 'cam_id'} - set(metadata)
    if missing:
        raise SystemExit(f'The gallery has no metadata {", ".join(sorted(missing))}.')
    pids = known_numbers(metadata['pid'])
    cams = np.unique(metadata['cam_id'], return_inverse=True)[1]
    tracks = metadata.get('track')
    ways = [('crops', None, None)]
    if tracks is not None:
        # Where times are not known, all tracks of a camera are at the same time.
        times = metadata.get('time', np.zeros(len(pids)))
        ways += [('tracks', tracks, None), ('tracks and times', tracks, times)]
    print('| what | order | F1 | F1 across cameras | people | undecided | log |')
    print('|---|---|---|---|---|---|---|')
    for name, numbers, times in ways:
        units = np.arange(len(pids))
        if numbers is not None:
            units = number_tracks(known_numbers(numbers), cams)
        first = np.unique(units, return_index=True)[1]
        whole = [np.arange(len(first))]
        orders = [('at once', whole)]
        for seed in range(seeds):
            drawn = np.random.default_rng(seed).permutation(len(first))
            by_camera = drawn[np.argsort(cams[first[drawn]], kind='stable')]
            orders.append((f'random {seed}', np.array_split(drawn, PORTIONS)))
            orders.append((f'by camera {seed}', np.array_split(by_camera, PORTIONS)))
        by_time = np.argsort(metadata.get('time', np.arange(len(pids)))[first])
        orders.append(('by time', np.array_split(by_time, PORTIONS)))
        for order, portions in orders:
            people, labels = in_portions(gallery, units, portions, numbers, times)
            print(
                f'| {name} | {order} | {pair_f1(labels, pids):.3f} '
                f'| {pair_f1(labels, pids, cams):.3f} | {len(people)} '
                f'| {np.count_nonzero(people.tracks.people == UNDECIDED)} of '
                f'{len(people.tracks.people)} | {len(people.log)} |'
            )
            if order == 'at once':
                at_once = people
        errors(at_once, pids, units)


def in_portions(
    gallery: Gallery,
    units: np.ndarray,
    portions: list[np.ndarray],
    tracks: np.ndarray | None,
    times: np.ndarray | None,
) -> tuple[People, np.ndarray]:
    """Assign portions one after the other; return the final person of each image."""
    people = People()
    rows = np.empty(len(units), dtype=np.int64)
    for portion in portions:
        own = np.flatnonzero(np.isin(units, portion))
        rows[own] = people.assign(
            gallery.embeddings[own],
            gallery.metadata['cam_id'][own],
            None if tracks is None else tracks[own],
            None if times is None else times[own],
        ).tracks
    labels = people.tracks.people[rows]
    # The images of an undecided track do belong together.
    alone = labels.max() + 1 + rows
    return people, np.where(labels == UNDECIDED, alone, labels)


def errors(people: People, pids: np.ndarray, units: np.ndarray) -> None:
    """Print the estimated and the true errors of the threshold."""
    tracks = people.tracks
    rows = np.unique(units, return_index=True)[1]
    shown = np.array([np.bincount(pids[units == u]).argmax() for u in range(len(rows))])
    if len(shown) != len(tracks.people):
        return
    order = np.argsort(rows)  # as they came
    shown = shown[order]
    found = people.threshold()
    scores = measure(tracks).scores
    vectors = scores(tracks.embeddings.astype(np.float32), tracks.cam_ids)
    likeness = vectors @ vectors.T
    pair = np.triu(np.ones(likeness.shape, dtype=bool), 1)
    same = shown[:, None] == shown
    camera = tracks.cam_ids[:, None] == tracks.cam_ids
    print(f'\nestimated: {json.dumps(found)}')
    for name, where in (('one camera', camera), ('two cameras', ~camera)):
        reached = likeness >= found['score']
        wrong = reached[pair & where & ~same]
        right = reached[pair & where & same]
        missed = (
            f'{1 - right.mean():.4f} missed' if len(right) else 'none of one person'
        )
        print(f'true, {name}: {wrong.mean():.5f} of different people, {missed}')
    print()


if __name__ == '__main__':
    main()
