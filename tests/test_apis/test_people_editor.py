"""Corrections on the page: they are saved to the file of the people, and stay."""

import numpy as np
import pytest
from test_people import World
from tiny_network import write_people_crops

from mmreid_cc.apis import Gallery, People
from mmreid_cc.apis.label_editor import UNCLUSTERED
from mmreid_cc.apis.people_editor import PeopleEditor
from mmreid_cc.apis.people_file import ChangedMeanwhileError
from mmreid_cc.apis.track_keys import file_keys


@pytest.fixture
def known(tmp_path):
    """People of 20 tracks of two crops each; their file, and a gallery of the crops."""
    shown = write_people_crops(tmp_path / 'crops', range(1, 21), shots=2)
    paths = [str(tmp_path / 'crops' / name) for name in shown]
    embeddings = World().day(range(20), shots=2)[0]['embeddings']
    metadata = dict(cam_id=np.ones(40, int), track=np.array([*shown.values()]))
    people = People.from_labels(
        embeddings,
        np.arange(40) // 2,
        metadata['cam_id'],
        metadata['track'],
        keys=file_keys(paths),
        model_hash='abc',
    )
    people.save(tmp_path / 'people.npz')
    return tmp_path / 'people.npz', Gallery(embeddings, paths, metadata, 'abc')


def test_steps_are_saved_to_the_file_of_the_people(known):
    file, gallery = known
    editor = PeopleEditor(People.load(file), gallery)
    assert editor.labels.tolist() == (np.arange(40) // 2).tolist()
    editor.merge(4, 9)
    assert editor.separate([0, 1]) == 20  # above all numbers that were ever given
    editor.reject([2, 3, 6])  # one of the two images of track 3, and track 1
    editor.keep_apart(5, 6)
    assert editor.unsaved == 5
    editor.save(file)
    assert editor.unsaved == 0
    people = People.load(file)
    assert people.current(9) == 4
    assert people.tracks.people[[0, 1, 9]].tolist() == [20, UNCLUSTERED, 4]
    assert {4, 5, 6, 20} <= people.settled
    assert editor.labels[18] == 4
    with pytest.raises(ValueError, match='nothing to undo'):
        editor.undo()
    editor.merge(4, 5)
    editor.save(file)
    assert People.load(file).current(5) == 4


def test_what_cannot_be_saved_can_be_tried_again(known):
    file, gallery = known
    editor = PeopleEditor(People.load(file), gallery)
    other = People.load(file)
    other.name(1, 'Ann')
    other.save(file)
    editor.merge(4, 9)
    with pytest.raises(ChangedMeanwhileError):
        editor.save(file)
    assert editor.unsaved == 1
    assert People.load(file).names == {1: 'Ann'}


def test_other_galleries_and_steps(known):
    file, gallery = known
    people = People.load(file)
    other = Gallery(gallery.embeddings, gallery.paths, gallery.metadata, 'xyz')
    with pytest.raises(ValueError, match='of different networks'):
        PeopleEditor(people, other)
    loose = Gallery(gallery.embeddings, gallery.paths, None, 'abc')
    with pytest.raises(ValueError, match='None of the 40 images'):
        PeopleEditor(people, loose)
    editor = PeopleEditor(people, gallery)
    with pytest.raises(ValueError, match='no cluster 77'):
        editor.keep_apart(1, 77)
    with pytest.raises(ValueError, match='from itself'):
        editor.keep_apart(1, 1)
