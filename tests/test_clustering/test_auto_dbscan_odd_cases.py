"""Odd images, odd cameras and Ctrl-C, where settings are found from the features."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from mmreid_cc.clustering import AutoDBSCAN


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def people(count, images, dim=32, noise=0.3):
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(count, dim)), images, axis=0)
    return unit(rows + noise * rng.normal(size=rows.shape))


def rotation(dim):
    """Rows that are all orthogonal, in no special direction."""
    rows = np.random.default_rng(0).normal(size=(dim, dim))
    return np.linalg.qr(rows)[0].astype(np.float32)


@pytest.mark.parametrize('count', range(1, 11))
def test_few_images(count):
    features = unit(np.random.default_rng(count).normal(size=(count, 8)))
    clusterer = AutoDBSCAN()
    labels = clusterer.fit_predict(features)
    assert labels.shape == (count,)
    assert labels.dtype == np.int64
    assert set(labels) <= set(range(-1, count))
    if clusterer.chosen is None:
        assert set(labels) == {-1}


def test_one_image_is_nobody():
    assert AutoDBSCAN().fit_predict(np.eye(1)).tolist() == [-1]


def test_equal_images_are_one_person():
    clusterer = AutoDBSCAN()
    labels = clusterer.fit_predict(np.tile([[0.6, 0.8]], (50, 1)))
    assert labels.tolist() == [0] * 50
    assert clusterer.chosen is None  # there was nothing to choose


@pytest.mark.parametrize(
    'features',
    [rotation(40), people(40, 1), people(1, 40, noise=1)],
    ids=['unlike', 'each person once', 'one person'],
)
def test_nothing_is_told_apart(features):
    clusterer = AutoDBSCAN()
    assert clusterer.fit_predict(features).tolist() == [-1] * 40
    assert clusterer.chosen is None
    assert clusterer.people is None
    assert clusterer.explanation().startswith('No settings were chosen')


@pytest.mark.parametrize('dim', [1, 2])
def test_too_few_dimensions_for_halves(dim):
    rows = np.random.default_rng(0).normal(size=(40, dim))
    labels = AutoDBSCAN().fit_predict(unit(rows))
    assert labels.shape == (40,)


def test_copies_are_together():
    copies = np.repeat(people(30, 1), 3, axis=0)
    labels = AutoDBSCAN().fit_predict(copies)
    assert labels.tolist() == np.repeat(range(30), 3).tolist()


@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(value):
    features = people(10, 4)
    features[2, 1] = value
    clusterer = AutoDBSCAN()
    with pytest.raises(ValueError, match='1 of 40 rows hold NaN or infinity'):
        clusterer.fit_predict(features)
    assert clusterer.chosen is None


def test_cameras_change_nothing():
    features = people(10, 4)
    labels = AutoDBSCAN().fit_predict(features)
    one_other = (np.arange(40) == 0).astype(int)  # a camera with one image
    for cam_ids in (np.zeros(40, int), np.arange(40) % 2, one_other):
        found = AutoDBSCAN().fit_predict(features, cam_ids=cam_ids)
        assert np.array_equal(found, labels)
    with pytest.raises(ValueError, match='2 cameras do not fit 40'):
        AutoDBSCAN().fit_predict(features, cam_ids=[1, 2])


def test_a_failed_choice_forgets_the_last_one():
    clusterer = AutoDBSCAN()
    clusterer.fit_predict(people(10, 4))
    assert clusterer.chosen is not None
    clusterer.fit_predict(unit(np.random.default_rng(0).normal(size=(200, 64))))
    assert clusterer.chosen is None
    assert clusterer.people is None


MINUTES_OF_CHOICE = """
import signal
# Ignored where the tests were started in the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
import numpy as np
from mmreid_cc.clustering import AutoDBSCAN
rng = np.random.default_rng(0)
features = np.repeat(rng.normal(size=(100, 64)), 4, axis=0)
features += 0.3 * rng.normal(size=features.shape)
features /= np.linalg.norm(features, axis=1, keepdims=True)
one = dict(eps=0.6, min_samples=2, k1=8, k2=2)
AutoDBSCAN([one]).fit_predict(features)
print('ready', flush=True)
AutoDBSCAN([one] * 20_000).fit_predict(features)
"""


def test_ctrl_c_in_the_middle_of_a_choice(tmp_path):
    process = subprocess.Popen(
        [sys.executable, '-c', MINUTES_OF_CHOICE],
        env=dict(os.environ, TMPDIR=str(tmp_path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout.readline() == 'ready\n'
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == -signal.SIGINT, errors
    assert 'in judge_by_halves' in errors
    assert errors.rstrip().endswith('KeyboardInterrupt')
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProcessLookupError):  # no process of its session is left
        os.killpg(process.pid, 0)
