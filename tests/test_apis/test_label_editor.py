"""Labels corrected by hand: each step, its reversal, and the file for training."""

import numpy as np
import pytest

from mmreid_cc.apis import LabelEditor
from mmreid_cc.datasets import read_labels

PATHS = [f'crops/{name}.jpg' for name in 'abcdefgh']
LABELS = [0, 0, 0, 5, 5, 2, -1, -1]


def direction(degrees):
    return [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]


@pytest.fixture
def editor():
    # Cluster 0 is two persons: c is far from a and b. Cluster 5 is nearer to it than 2.
    degrees = [0, 4, 40, 60, 64, 150, 200, 300]
    return LabelEditor(LABELS, PATHS, np.array([direction(d) for d in degrees]))


def test_members_the_most_typical_first(editor):
    # The mean of 0°, 4° and 40° points to 14.5°.
    assert editor.members(0).tolist() == [1, 0, 2]
    assert editor.members(-1).tolist() == [6, 7]
    assert editor.clusters.tolist() == [0, 2, 5]
    assert editor.sizes.tolist() == [3, 1, 2]


def test_similar_clusters_first(editor):
    numbers, cosines = editor.similar(0)
    assert numbers.tolist() == [5, 2]
    # Of 0°, 4°, 40° the direction is 14.485°; of 60°, 64° it is 62°.
    mean = np.sum([direction(d) for d in (0, 4, 40)], axis=0)
    expected = mean @ direction(62) / np.linalg.norm(mean)
    assert cosines[0] == pytest.approx(expected, abs=1e-6)


def test_merge_split_separate_reject_and_undo_all(editor):
    editor.merge(0, 5)
    assert editor.labels.tolist() == [0, 0, 0, 0, 0, 2, -1, -1]
    assert editor.split(0) == 3  # {c, d, e} is the larger part
    assert editor.labels.tolist() == [3, 3, 0, 0, 0, 2, -1, -1]
    assert editor.separate([2, 6]) == 4  # from a cluster, and from none
    assert editor.labels.tolist() == [3, 3, 4, 0, 0, 2, 4, -1]
    editor.reject([5])
    assert editor.labels.tolist() == [3, 3, 4, 0, 0, -1, 4, -1]
    assert editor.clusters.tolist() == [0, 3, 4]
    assert editor.unsaved == 4
    for _ in range(4):
        editor.undo()
    assert editor.labels.tolist() == LABELS
    assert editor.unsaved == 0
    with pytest.raises(ValueError, match='nothing to undo'):
        editor.undo()


def test_what_is_saved_is_what_training_reads(editor, tmp_path):
    editor.merge(5, 2)
    file = tmp_path / 'new' / 'labels.csv'
    editor.save(file)
    assert editor.unsaved == 0
    assert read_labels(file, PATHS).tolist() == [0, 0, 0, 1, 1, 1, -1, -1]
    editor.undo()
    assert editor.unsaved == 1  # the file has a step that is no more
    editor.reject([0])
    assert editor.unsaved == 2  # that, and one that the file has not
    editor.undo()
    editor.save(file)
    assert editor.unsaved == 0
    assert read_labels(file, PATHS).tolist() == [0, 0, 0, 2, 2, 1, -1, -1]
    assert [path.name for path in file.parent.iterdir()] == ['labels.csv']


def test_a_failed_save_leaves_the_old_file(editor, tmp_path, monkeypatch):
    file = tmp_path / 'labels.csv'
    editor.save(file)
    before = file.read_text()
    editor.reject([0])

    def full_disk(path, *_):
        path.write_text('half')
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('mmreid_cc.apis.label_editor.write_labels', full_disk)
    with pytest.raises(OSError, match='No space'):
        editor.save(file)
    assert file.read_text() == before
    assert editor.unsaved == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_the_labels_given_are_not_changed():
    labels = np.array([0, 1])
    LabelEditor(labels, ['a', 'b'], np.eye(2)).merge(0, 1)
    assert labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ('step', 'message'),
    [
        (lambda editor: editor.merge(0, 0), 'cannot be merged with itself'),
        (lambda editor: editor.merge(0, 7), 'no cluster 7'),
        (lambda editor: editor.merge(-1, 0), 'no cluster -1'),
        (lambda editor: editor.split(2), 'nothing to split'),
        (lambda editor: editor.similar(1), 'no cluster 1'),
        (lambda editor: editor.members(1), 'no cluster 1'),
        (lambda editor: editor.separate([]), r'Give one image or more, rows in 0…7'),
        (lambda editor: editor.reject([8]), r'rows in 0…7, not \[8\]'),
        (lambda editor: editor.reject([-1]), r'rows in 0…7, not \[-1\]'),
    ],
)
def test_steps_that_make_no_sense_change_nothing(editor, step, message):
    with pytest.raises(ValueError, match=message):
        step(editor)
    assert editor.labels.tolist() == LABELS
    assert editor.unsaved == 0


@pytest.mark.parametrize(
    ('labels', 'paths', 'message'),
    [
        ([0], ['a', 'b'], 'one length, got 1, 2 and 2'),
        ([0, -2], ['a', 'b'], 'the lowest is -2'),
        ([0, 0], ['a', './a'], 'a occurs more than once'),
    ],
)
def test_odd_input_is_refused(labels, paths, message):
    with pytest.raises(ValueError, match=message):
        LabelEditor(labels, paths, np.eye(2))
