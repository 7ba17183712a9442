"""The page with known people in a real browser: what a user corrects stays."""

import re

import numpy as np
import pytest
from tiny_network import write_network

from mmreid_cc.apis import People, ReIDInferencer
from mmreid_cc.apis.track_keys import file_keys

pytest.importorskip('gradio', reason='the page is the extra "demo"')

from browsing import press, says, seen, started_browser  # needs extras
from served_page import served_page  # needs gradio

PERSON = np.repeat(np.arange(8), 6)
CAMERA = np.tile(np.repeat([1, 2], 3), 8)


@pytest.fixture(scope='module')
def known(tmp_path_factory, market_root):
    """A gallery of 16 tracks, and people with mistakes: 8 is also person 0."""
    folder = tmp_path_factory.mktemp('people')
    config, checkpoint = write_network(folder)
    crops = sorted(map(str, (market_root / 'bounding_box_train').glob('*.jpg')))
    reid = ReIDInferencer(config, checkpoint, 'cpu')
    track = PERSON * 2 + CAMERA
    gallery = reid.build_gallery(crops, dict(cam_id=CAMERA, track=track))
    gallery.save(folder / 'gallery.npz')
    labels = np.where((PERSON == 0) & (CAMERA == 2), 8, PERSON)
    people = People.from_labels(
        gallery.embeddings,
        labels,
        CAMERA,
        track,
        keys=file_keys(crops),
        model_hash=gallery.model_hash,
    )
    people.save(folder / 'people.npz')
    return folder, gallery, track, crops


def test_corrections_stay(known):
    """One merge, and two who are told apart; then the same tracks come again."""
    folder, gallery, track, crops = known
    arguments = [folder / 'gallery.npz', '--device', 'cpu']
    arguments += ['--config', folder / 'tiny.py', '--checkpoint', folder / 'tiny.pth']
    arguments += ['--people', folder / 'people.npz']
    with (
        served_page(*arguments, cwd=folder) as url,
        started_browser() as browser,
    ):
        page = browser.new_page()
        page.set_default_timeout(60_000)
        page.goto(url)
        page.get_by_role('tab', name='Clusters').click()
        says(page, '9 clusters of 48 images')

        seen(page, 'person 0').first.click()
        says(page, re.compile('^Person 0$'))
        seen(page, 'person 8').last.click()  # among those who look alike
        press(page, 'Merge cluster 8 into cluster 0')
        says(page, 'not saved: 1')

        first, second = shown_pair(page)
        press(page, f'{second} and {first} are different people')
        says(page, 'not saved: 3')
        press(page, 'Save labels')
        says(page, 'Saved in')

    people = People.load(folder / 'people.npz')
    assert people.current(8) == 0
    assert people.settled >= {0, first, second}
    again = people.assign(
        gallery.embeddings, CAMERA, track, keys=file_keys(crops)
    ).people
    np.testing.assert_array_equal(again, PERSON)


def shown_pair(page):
    """Open a person and one of those who look alike; their numbers."""
    seen(page, 'person 3').first.click()
    says(page, re.compile('^Person 3$'))
    says(page, 'The most similar clusters')
    similar = seen(page, 'cosine').first
    number = int(re.search(r'person (\d+)', similar.inner_text())[1])
    similar.click()
    says(page, re.compile(f'^Cluster {number}$'))
    return 3, number
