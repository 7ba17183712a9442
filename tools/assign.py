"""Find out which people new crops show, among those known from earlier crops."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmreid_cc.apis import People
from mmreid_cc.apis.command_line import (
    add_crops,
    config_of,
    crops_of,
    inference_parser,
    inferencer_of,
)
from mmreid_cc.apis.known_tracks import UNDECIDED
from mmreid_cc.apis.people import Assignment
from mmreid_cc.apis.person_folders import new_folder, write_people
from mmreid_cc.apis.track_keys import file_keys
from mmreid_cc.atomic_writing import check_writable, replacing
from mmreid_cc.datasets.label_files import UNDECODABLE, relative_paths


def load_people(file: Path, model_hash: str, false_matches: float | None) -> People:
    """Read people, or begin with nobody.

    Args:
        file (Path): Path of the people; the file may not exist yet.
        model_hash (str): Hash of the network that embeds the crops.
        false_matches (float, optional): None: as it was.

    Returns:
        People: The people to assign crops to.

    Raises:
        ValueError: If they were embedded by another network.
    """
    people = People.load(file) if file.exists() else People(model_hash)
    if people.model_hash != model_hash:
        raise ValueError(
            f'The people in {file} were embedded by another network, or from images '
            f'that were prepared differently (model hash '
            f'{people.model_hash or "unknown"}, this one is {model_hash}), so their '
            'embeddings cannot be compared. Use the config and checkpoint with which '
            'the file was created, or name a new file.'
        )
    if false_matches is not None:
        people.false_matches = false_matches
    return people


def write_results(
    file: Path, paths: Sequence[str], found: Assignment, people: People
) -> None:
    """Write a row for each crop.

    Args:
        file (Path): CSV with the columns ``path,person,name,state,track``: the path
            from the folder that holds all crops; the number and name of the person,
            empty if undecided; ``known``, ``new`` or ``undecided``; the row of the
            track in the file of people.
        paths (Sequence[str]): Paths of N crops.
        found (Assignment): Assignment of the crops.
        people (People): For the names.
    """
    with (
        replacing(file) as part,
        part.open('w', encoding='utf-8', errors=UNDECODABLE, newline='') as stream,
    ):
        table = csv.writer(stream, lineterminator='\n')
        table.writerow(['path', 'person', 'name', 'state', 'track'])
        for path, person, new, track in zip(
            relative_paths(paths), *map(np.ndarray.tolist, found), strict=True
        ):
            undecided = person == UNDECIDED
            state = 'undecided' if undecided else 'new' if new else 'known'
            number = '' if undecided else person
            table.writerow([path, number, people.names.get(person, ''), state, track])


def report(found: Assignment, people: People, entries: Sequence[dict]) -> str:
    """Describe the result in a few lines."""
    decided = found.people != UNDECIDED
    known = np.unique(found.people[decided & ~found.new])
    new = np.unique(found.people[found.new])
    undecided = np.unique(found.tracks[~decided])
    lines = [
        f'{len(found.people)} crops in {len(np.unique(found.tracks))} tracks: '
        f'{len(known)} known people, {len(new)} new ones, {len(undecided)} tracks '
        'undecided.'
    ]
    for entry in entries:
        into = entry['into']
        whom = f'person {into}' if into != UNDECIDED else 'undecided'
        if entry['event'] == 'merge':
            lines.append(f'Person {entry["person"]} is {whom} now.')
        else:
            count, old = entry['tracks'], entry['person']
            lines.append(f'{count} of the tracks of person {old}: {whom} now.')
    return '\n'.join(lines)


def main() -> None:
    parser = inference_parser(__doc__)
    add_crops(parser)
    parser.add_argument(
        '--people',
        required=True,
        help='.npz file of known people; it is created if it does not exist',
    )
    parser.add_argument('--out', help='CSV file for the person of each crop')
    parser.add_argument('--sort', help='new folder for a folder for each person')
    parser.add_argument(
        '--copy', action='store_true', help='copy the files instead of linking to them'
    )
    parser.add_argument(
        '--false-matches',
        type=float,
        help='with how many known people an unknown one may reach the threshold, on '
        'average; a smaller number joins fewer tracks (default: that of the file, or '
        '1)',
    )
    args = parser.parse_args()
    if args.false_matches is not None and not args.false_matches > 0:
        parser.error(f'--false-matches must be positive, not {args.false_matches}')
    folder, paths, metadata = crops_of(args, parser)
    check_writable(Path(args.people), [args.crops])
    if args.out is not None:
        check_writable(Path(args.out), [args.crops, args.people])
    sorted_to = None if args.sort is None else new_folder(args.sort, folder, paths)

    reid = inferencer_of(args, config_of(args))
    file = Path(args.people)
    load_people(file, reid.model_hash, args.false_matches)  # before the long part
    embeddings = reid(paths)
    people = load_people(file, reid.model_hash, args.false_matches)
    entries = len(people.log)
    before = 0 if people.tracks is None else len(people.tracks.people)
    known = (metadata.get(name) for name in ('cam_id', 'track', 'time'))
    found = people.assign(embeddings, *known, keys=file_keys(paths))
    added = len(people.tracks.people) - before
    if added or args.false_matches is not None:
        people.save(file)
    if args.out is not None:
        write_results(Path(args.out), paths, found, people)
    if sorted_to is not None:
        write_people(sorted_to, folder, paths, found.people, args.copy)
    print(report(found, people, people.log[entries:]))
    if not added:
        print(f'All of these tracks were in {file} before.')
    print(people.threshold_text())
    print(f'{len(people)} people are known: {file}')


if __name__ == '__main__':
    main()
