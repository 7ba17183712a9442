"""Drawn pedestrians: the same arguments give the same pixels, and a whole folder."""

import json
import re
import shutil
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mmreid_cc.datasets.pedestrians import (
    draw_pedestrian,
    market_folder,
    write_market_folder,
)
from mmreid_cc.datasets.pedestrians.appearance import random_appearance
from mmreid_cc.datasets.pedestrians.infrared import in_infrared
from mmreid_cc.datasets.pedestrians.streams import Stream, generator

SMALL = dict(train_identities=4, test_identities=3, cameras=3, shots=3)


def contents(root):
    return {
        str(file.relative_to(root)): file.read_bytes()
        for file in root.rglob('*')
        if file.is_file()
    }


def sightings(folder):
    """(identity, camera) → number of images."""
    counts = defaultdict(int)
    for file in folder.iterdir():
        pid, camera = re.fullmatch(
            r'(-1|\d{4})_c(\d)s1_\d{6}_\d\d\.jpg', file.name
        ).groups()
        counts[int(pid), int(camera)] += 1
    return counts


@pytest.fixture(scope='module')
def market(tmp_path_factory):
    return write_market_folder(tmp_path_factory.mktemp('drawn') / 'a' / 'b', **SMALL)


def test_same_arguments_give_same_pixels():
    picture = draw_pedestrian(1, identity=5, camera=2, shot=3)
    # Other pictures in between: nothing depends on what was drawn before.
    draw_pedestrian(1, identity=6, camera=2, shot=3)
    again = draw_pedestrian(1, identity=5, camera=2, shot=3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(picture, again)


def test_pixels_of_this_version():
    """If this fails on purpose, raise DRAWING_VERSION and take the new means."""
    means = cv2.resize(
        draw_pedestrian(0, 1, 1, 0), (2, 4), interpolation=cv2.INTER_AREA
    )
    expected = [
        [(131, 125, 113), (124, 113, 103)],
        [(136, 141, 128), (112, 111, 110)],
        [(115, 119, 123), (94, 99, 121)],
        [(137, 135, 134), (143, 136, 126)],
    ]
    assert market_folder.DRAWING_VERSION == 1
    np.testing.assert_allclose(means, expected, atol=2)  # another JPEG library


@pytest.mark.parametrize('changed', ['seed', 'identity', 'camera', 'shot'])
def test_each_argument_matters(changed):
    arguments = dict(seed=1, identity=5, camera=2, shot=3)
    picture = draw_pedestrian(**arguments)
    arguments[changed] += 1
    other = draw_pedestrian(**arguments)
    assert np.abs(picture.astype(int) - other).mean() > 5


@pytest.mark.parametrize(
    'size', [(128, 64), (64, 32), (256, 128), (224, 224), (512, 64)]
)
def test_size(size):
    assert draw_pedestrian(0, 1, 1, 0, size=size).shape == (*size, 3)


def test_larger_size_shows_the_same_scene():
    small = draw_pedestrian(0, 1, 1, 0, size=(64, 32))
    large = draw_pedestrian(0, 1, 1, 0, size=(256, 128))
    shrunk = cv2.resize(large, (32, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - shrunk).mean() < 8


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(identity=-1), 'identity must be 0 or more, got -1'),
        (dict(camera=-2), 'camera must be 0 or more, got -2'),
        (dict(size=(1024, 512)), r'height of 16–512.*got \(1024, 512\)'),
        (dict(size=(128, 300)), 'width of 8 up to twice the height'),
    ],
)
def test_arguments_out_of_range(arguments, message):
    valid = dict(seed=0, identity=1, camera=1, shot=0)
    with pytest.raises(ValueError, match=message):
        draw_pedestrian(**{**valid, **arguments})


def test_many_people_share_the_colours_of_their_clothes():
    people = [random_appearance(np.random.default_rng(i)) for i in range(200)]
    clothes = {(person.upper, person.lower) for person in people}
    assert len(clothes) <= 32
    assert len(set(people)) == len(people)


def test_red_shirts_are_red_before_every_camera():
    for identity in range(100):
        person = random_appearance(np.random.default_rng([0, 0, identity]))
        if person.upper == (176, 36, 42) and person.pattern == 'plain':
            break
    for camera in range(4):
        red, green, blue = draw_pedestrian(0, identity, camera, 0)[50, 32].astype(int)
        assert red > green + 40
        assert red > blue + 40


def test_infrared_images_have_one_channel_by_material():
    clothes = []
    for identity in range(40):
        person = random_appearance(generator(0, Stream.PERSON, identity))
        grey = in_infrared(person, generator(0, Stream.MATERIAL, identity))
        assert min(grey.skin) >= 195 > 110 >= max(grey.hair)
        assert (grey.pattern, grey.bag) == (person.pattern, person.bag)
        clothes.append((np.mean(person.upper), grey.upper[0]))
    visible, infrared = np.array(clothes).T
    assert abs(np.corrcoef(visible, infrared)[0, 1]) < 0.5  # colour is mostly lost
    assert 0.1 < (infrared > 125).mean() < 0.6  # some cloth reflects
    image = draw_pedestrian(0, 3, 4, 0, infrared=True)
    assert (image == image[..., :1]).all()
    np.testing.assert_array_equal(image, draw_pedestrian(0, 3, 4, 0, infrared=True))
    assert np.abs(image.astype(int) - draw_pedestrian(0, 3, 4, 0)).mean() > 5


def test_infrared_cameras_leave_the_others_as_they_are(market, tmp_path):
    both = contents(write_market_folder(tmp_path / 'a', infrared=2, **SMALL))
    before = contents(market)
    parameters = json.loads(both.pop('synthetic_reid.json'))
    assert parameters.pop('infrared') == 2
    assert parameters == json.loads(before.pop('synthetic_reid.json'))
    added = both.keys() - before.keys()
    assert {name: both[name] for name in before} == before
    assert {re.search(r'_c(\d)', name)[1] for name in added} == {'4', '5'}
    seen = {re.search(r'/(\d{4})_', name)[1] for name in added}
    assert seen == {f'{pid:04d}' for pid in range(1, 8)}  # everyone


def test_folder_structure(market):
    names = {entry.name for entry in market.iterdir()}
    assert names == {
        'bounding_box_train',
        'query',
        'bounding_box_test',
        'synthetic_reid.json',
    }
    train = sightings(market / 'bounding_box_train')
    query = sightings(market / 'query')
    gallery = sightings(market / 'bounding_box_test')
    junk = {key: gallery.pop(key) for key in list(gallery) if key[0] == -1}
    distractors = {key: gallery.pop(key) for key in list(gallery) if key[0] == 0}
    assert {pid for pid, _ in train} == {1, 2, 3, 4}
    assert {pid for pid, _ in query} == {5, 6, 7}
    assert query.keys() == gallery.keys()
    assert set(query.values()) == {1}
    assert len(junk) == len(distractors) == 3
    for counts in (train, query):
        cameras = defaultdict(set)
        for pid, camera in counts:
            cameras[pid].add(camera)
        assert all(2 <= len(seen_by) <= 3 for seen_by in cameras.values())
    assert set(train.values()) <= {2, 3}


def test_images_are_those_that_are_drawn(market):
    file = next((market / 'query').glob('0005_*'))
    camera, shot = re.search(r'_c(\d)s1_\d+_(\d\d)', file.name).groups()
    drawn = draw_pedestrian(0, 5, int(camera) - 1, int(shot))
    read = cv2.imread(str(file))[..., ::-1]
    assert np.abs(read.astype(int) - drawn).mean() < 4  # JPEG


def test_no_image_of_the_query_is_in_the_gallery(market):
    query = {file.read_bytes() for file in (market / 'query').iterdir()}
    gallery = {file.read_bytes() for file in (market / 'bounding_box_test').iterdir()}
    assert not query & gallery


def test_nobody_is_seen_by_all_cameras_of_many(tmp_path):
    root = write_market_folder(
        tmp_path / 'a', train_identities=12, test_identities=1, cameras=8, shots=2
    )
    cameras = defaultdict(set)
    for pid, camera in sightings(root / 'bounding_box_train'):
        cameras[pid].add(camera)
    assert {len(seen_by) for seen_by in cameras.values()} == {2, 3, 4}


def test_second_call_does_nothing_and_another_folder_is_equal(market, tmp_path):
    before = {file: file.stat().st_mtime_ns for file in market.rglob('*')}
    assert write_market_folder(market, **SMALL) == market
    assert before == {file: file.stat().st_mtime_ns for file in market.rglob('*')}
    assert contents(write_market_folder(tmp_path, **SMALL)) == contents(market)


def test_other_parameters_are_refused(market):
    before = contents(market)
    with pytest.raises(
        FileExistsError, match='seed is 0, wanted 1, shots is 3, wanted 2'
    ):
        write_market_folder(market, **{**SMALL, 'seed': 1, 'shots': 2})
    assert contents(market) == before


def test_drawings_of_another_version_are_refused(market, tmp_path):
    parameters = json.loads((market / 'synthetic_reid.json').read_text())
    parameters['version'] = 0
    (tmp_path / 'synthetic_reid.json').write_text(json.dumps(parameters))
    with pytest.raises(FileExistsError, match='version is 0, wanted'):
        write_market_folder(tmp_path, **SMALL)


def test_foreign_folder_is_not_touched(tmp_path):
    (tmp_path / 'holiday.jpg').write_bytes(b'x')
    with pytest.raises(FileExistsError, match='not drawn by this library'):
        write_market_folder(tmp_path, **SMALL)
    assert contents(tmp_path) == {'holiday.jpg': b'x'}


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(cameras=1), 'cameras must be between 2 and 9, got 1'),
        (dict(shots=1), 'shots must be between 2 and 99, got 1'),
        (dict(cameras=8, infrared=2), 'infrared must be between 0 and 1, got 2'),
        (dict(train_identities=9000, test_identities=1000), 'at most 9999.*got 10000'),
    ],
)
def test_numbers_out_of_range(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        write_market_folder(tmp_path / 'a', **arguments)
    assert not list(tmp_path.iterdir())


def test_writers_at_once(market, tmp_path):
    with ThreadPoolExecutor(3) as pool:
        calls = [
            pool.submit(write_market_folder, tmp_path / 'drawn', **SMALL)
            for _ in range(3)
        ]
    assert [call.result() for call in calls] == [tmp_path / 'drawn'] * 3
    assert contents(tmp_path / 'drawn') == contents(market)
    assert [entry.name for entry in tmp_path.iterdir()] == ['drawn']


def test_faster_writer_with_other_parameters(market, tmp_path, monkeypatch):
    """Another process finishes its set while ours is still being drawn."""
    root = tmp_path / 'drawn'

    def draw_while_another_writes(*args, **kwargs):
        monkeypatch.undo()
        shutil.copytree(market, root)
        return draw_pedestrian(*args, **kwargs)

    monkeypatch.setattr(market_folder, 'draw_pedestrian', draw_while_another_writes)
    with pytest.raises(FileExistsError, match='shots is 3, wanted 2'):
        write_market_folder(root, **{**SMALL, 'shots': 2})
    assert contents(root) == contents(market)
    assert [entry.name for entry in tmp_path.iterdir()] == ['drawn']


def test_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'imwrite', lambda *_: False)
    with pytest.raises(OSError, match='Cannot write'):
        write_market_folder(tmp_path / 'a', **SMALL)
    assert not list(tmp_path.iterdir())
