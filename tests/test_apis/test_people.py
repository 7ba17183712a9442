"""Numbers that stay: over days, over corrections, over interruptions."""

import numpy as np
import pytest

from mmreid_cc.apis import People
from mmreid_cc.apis.known_tracks import UNDECIDED
from mmreid_cc.apis.person_matching import measure
from mmreid_cc.clustering import pair_f1

DIM = 64


class World:
    """People who pass two cameras, drawn: whom a track shows can be told by looks."""

    def __init__(self, people=100, noise=0.5, seed=0):
        self.rng = np.random.default_rng(seed)
        self.looks = self.normalized(self.rng.normal(size=(people, DIM)))
        self.shifts = self.rng.normal(size=(2, DIM)) * 0.05
        self.noise = noise

    @staticmethod
    def normalized(rows):
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def day(self, pids, shots=5, start=0.0):
        """A track of each of some people; arguments of assign, and who it is."""
        tracks = np.repeat(np.arange(len(pids)), shots)
        shown = np.asarray(pids)[tracks]
        cams = (tracks + shown) % 2
        noise = self.rng.normal(size=(len(tracks), DIM)) * self.noise / np.sqrt(DIM)
        features = self.normalized(self.looks[shown] + self.shifts[cams] + noise)
        times = start + 10.0 * tracks + np.tile(np.arange(shots), len(pids))
        portion = dict(embeddings=features, cam_ids=cams, tracks=tracks, times=times)
        return portion, shown


@pytest.fixture
def world():
    return World()


def states(people):
    """Everything that is kept, to compare."""
    columns = [column.tolist() for column in people.tracks]
    return str(
        [columns, people.log, people.names, sorted(people.settled), people.cameras]
    )


def test_tomorrow_has_the_numbers_of_today(world):
    people = People()
    today, shown = world.day(range(20))
    first = people.assign(**today)
    assert pair_f1(first.people, shown) == 1
    assert first.new.all()
    numbers = dict(zip(shown.tolist(), first.people.tolist(), strict=True))

    tomorrow, shown = world.day(range(10, 30), start=1e5)
    second = people.assign(**tomorrow)
    assert pair_f1(second.people, shown) == 1
    for pid, number, new in zip(
        shown.tolist(), second.people.tolist(), second.new.tolist(), strict=True
    ):
        assert new == (pid >= 20)
        assert new or number == numbers[pid]
    assert len(people) == 30
    assert people.last_seen(numbers[15]) > 1e5
    assert people.last_seen(numbers[5]) < 1e5
    assert (people.tracks.crops == 5).all()


def test_what_a_clustering_found_keeps_its_numbers(world):
    today, shown = world.day(range(20))
    people = People.from_labels(labels=shown + 100, **today)
    assert people.numbers.tolist() == list(range(100, 120))
    tomorrow, shown = world.day([29, 3, 7], start=1e5)
    assert people.assign(**tomorrow).people[::5].tolist() == [120, 103, 107]


def test_a_track_has_the_label_of_most_of_its_images():
    labels = [3, 3, -1, 4, -1]
    people = People.from_labels(np.eye(5), labels, tracks=[0, 0, 0, 1, 2])
    assert people.tracks.people.tolist() == [3, 4, UNDECIDED]


def test_the_same_again_changes_nothing(world):
    """In any order of the images: after an interruption, or from another folder."""
    people = People()
    today, _ = world.day(range(20))
    first = people.assign(**today)
    before = states(people)
    order = np.random.default_rng(1).permutation(len(first.people))
    again = people.assign(**{name: column[order] for name, column in today.items()})
    assert states(people) == before
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one[order], other)


def test_overlapping_tracks_of_a_camera_are_never_one_person(world):
    """Also of a mirror image, which looks the same; a user can say that it is."""
    people = People()
    people.assign(**world.day(range(90))[0])
    portion, _ = world.day([3, 3], start=1e5)
    portion['cam_ids'][:] = 0
    portion['times'] = np.tile(np.arange(5.0), 2) + 1e5
    found = people.assign(**portion)
    assert found.people[0] != found.people[5]
    rows = found.tracks[[0, 5]]
    known = int(found.people.max())
    assert people.correct(rows, [known, known]).tolist() == [known, known]
    apart = world.day([3, 3], start=2e5)[0]
    apart['cam_ids'] = np.repeat([0, 1], 5)  # two cameras may see one person at once
    apart['times'] = np.tile(np.arange(5.0), 2) + 2e5
    assert set(people.assign(**apart).people.tolist()) == {known}


def test_few_tracks_are_undecided_until_there_are_more(world):
    people = People()
    first, _ = world.day([0, 1, 2])
    assert (people.assign(**first).people == UNDECIDED).all()
    with pytest.raises(ValueError, match='Only 3 tracks'):
        people.threshold()
    assert 'before 8 tracks' in people.threshold_text()
    people.assign(**world.day(range(3, 90), start=1e3)[0])
    assert (people.assign(**first).people != UNDECIDED).all()


def test_what_is_told_apart_is_never_merged_again(world):
    """Two numbers for one look: joined, unless a user has said that they are two."""
    for told in (False, True):
        people = People()
        today, shown = world.day([*range(90), 3])
        labels = np.where(np.arange(len(shown)) < 450, shown, 99)
        people = People.from_labels(labels=labels, **today)
        if told:
            people.settle(3, 99)
        for day in range(1, 4):
            people.assign(**world.day([3, 4, 3], start=day * 1e5)[0])
        if told:
            assert {3, 99} <= set(people.numbers.tolist())
            assert [entry['event'] for entry in people.log] == ['settle']
        else:
            assert 99 not in people.numbers
            assert people.current(99) == 3
            with pytest.raises(ValueError, match=r'no longer a person 99.*3 now'):
                people.rows(99)


def test_corrections_are_logged_and_stay(world):
    people = People()
    today, shown = world.day(range(20))
    found = people.assign(**today)
    number = dict(zip(shown.tolist(), found.people.tolist(), strict=True))
    one, other = number[1], number[2]
    people.name(one, 'Ann')
    assert people.correct(people.rows(other), [one]).tolist() == [one]
    assert people.current(other) == one
    merged = dict(event='merge', person=other, into=one, tracks=1, by='user')
    assert people.log[-1] == merged

    rows = people.rows(one)
    moved = people.correct(rows[1:], [5000])
    assert moved.tolist() == [20]  # the next free number, never an old one
    split = dict(event='split', person=one, into=20, tracks=1, by='user')
    assert people.log[-1] == split
    assert people.settled == {one, 20}
    assert people.names == {one: 'Ann'}
    people.assign(**world.day([1, 2, 1, 2], start=1e5)[0])
    assert people.settled <= set(people.numbers.tolist())
    people.name(one, '')
    assert people.names == {}


@pytest.mark.parametrize(
    ('rows', 'given', 'message'),
    [
        ([0, 0], [1, 1], 'each track once'),
        ([0], [1, 2], 'each track once'),
        ([999], [1], 'Rows must lie in'),
        ([0], [-2], 'numbered from 0'),
    ],
)
def test_wrong_corrections(world, rows, given, message):
    people = People()
    people.assign(**world.day(range(20))[0])
    before = states(people)
    with pytest.raises(ValueError, match=message):
        people.correct(rows, given)
    assert states(people) == before


def test_wrong_portions_change_nothing(world):
    people = People()
    today, _ = world.day(range(20))
    people.assign(**today)
    before = states(people)
    nan = np.array(today['embeddings'])
    nan[3, 3] = np.nan
    for change, message in (
        (dict(embeddings=nan), 'NaN'),
        (dict(embeddings=2 * today['embeddings']), 'L2-normalised'),
        (dict(embeddings=np.eye(100)), 'have 100 columns, those of the known tracks'),
        (dict(times=[0.0]), 'times must have one entry'),
        (dict(cam_ids=[0]), 'cam_ids must have one entry'),
        (dict(tracks=[0]), 'tracks must have one entry'),
        (dict(keys=[0]), 'keys must have one entry'),
    ):
        with pytest.raises(ValueError, match=message):
            people.assign(**{**today, **change})
    for value in (0, -1, float('nan')):
        with pytest.raises(ValueError, match='must be positive'):
            People(false_matches=value)
    assert states(people) == before


def test_nobody_known_and_nobody_given(world):
    people = People()
    assert len(people.assign(np.empty((0, DIM))).people) == 0
    with pytest.raises(ValueError, match='No track is known yet'):
        people.numbers  # noqa: B018
    people.assign(**world.day(range(20))[0])
    before = states(people)
    assert len(people.assign(np.empty((0, DIM), np.float32)).people) == 0
    assert states(people) == before


def test_times_backwards_and_missing_and_a_clock_that_is_wrong(world):
    """An hour between the clocks of two cameras parts nobody; nor do unknown times."""
    for change in ('backwards', 'missing', 'offset', 'none'):
        people = World(), People()
        drawn, people = people
        for start in (0.0, 1e5):
            portion, shown = drawn.day(range(20), start=start)
            times = portion['times']
            if change == 'backwards':
                portion['times'] = 1e6 - times
            elif change == 'missing':
                times[::2] = np.nan
                times[:10] = np.nan
            elif change == 'offset':
                times[portion['cam_ids'] == 1] += 3600
            else:
                portion['times'] = None
            found = people.assign(**portion)
            assert pair_f1(found.people, shown) == 1, change
        assert len(people) == 20


def test_one_camera_and_crops_without_tracks(world):
    people = People()
    portion, shown = world.day(range(90))
    for start in (0, 225):  # the second half comes later
        rows = np.arange(start, start + 225)
        people.assign(portion['embeddings'][rows])
    found = people.assign(portion['embeddings'])
    assert pair_f1(found.people, shown) > 0.9
    assert people.cameras == ['']


def test_duplicates_count_once(world):
    portion, _ = world.day(range(20))
    twice = {name: np.concatenate([c, c]) for name, c in portion.items()}
    twice['tracks'] = np.concatenate([portion['tracks'], 100 + portion['tracks']])
    people = People()
    found = people.assign(**twice)
    assert len(people.tracks.people) == 20
    assert np.array_equal(found.people[:100], found.people[100:])


def test_views_differ_and_the_first_is_typical():
    rows = np.float32([[1, 0, 0], [0.98, 0.199, 0], [0.9, 0, 0.436], [0.95, 0.1, 0.1]])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    people = People.from_labels(rows, [7, 7, 7, 7])
    assert people.views(7, 3).tolist() == [3, 2, 0]
    assert people.views(7, 9).tolist()[0] == 3
    assert len(people.views(7, 9)) == 4
    mean = rows.mean(axis=0)
    assert people.mean(7) == pytest.approx(mean / np.linalg.norm(mean), abs=1e-3)


def test_the_estimated_errors_are_those_of_the_drawn_people(world):
    """Overlapping tracks: the share of different people that reach the threshold."""
    drawn = World(people=400, noise=1.0)
    portion, _ = drawn.day(range(400), shots=6)
    portion['times'] = np.tile(np.arange(6.0), 400)  # all at once
    people = People()
    people.assign(**portion)
    found = people.threshold()
    assert not found['assumed']
    tracks = people.tracks
    vectors = measure(tracks).scores(
        tracks.embeddings.astype(np.float32), tracks.cam_ids
    )
    likeness = (vectors @ vectors.T)[np.triu_indices(400, 1)]
    true = (likeness >= found['score']).mean()
    assert found['false_match'] == pytest.approx(0.0025, rel=0.3)
    assert true == pytest.approx(found['false_match'], rel=0.6)
    assert 0 <= found['miss'] < 0.2


def test_a_million_of_which_few_are_looked_at(world):
    """More tracks than are decided at once, and than a person is compared by."""
    drawn = World(people=700)
    people = People()
    portion, shown = drawn.day(np.tile(np.arange(700), 4), shots=1)
    portion['times'] = None
    found = people.assign(**portion)
    assert len(people.tracks.people) == 2800  # two blocks
    assert pair_f1(found.people, shown) > 0.97
