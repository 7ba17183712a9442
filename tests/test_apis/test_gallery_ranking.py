"""Lists of results as a person asks for them."""

import numpy as np
import pytest

from mmreid_cc.apis import Gallery
from mmreid_cc.apis.gallery_ranking import camera_of, rank_images

# Degrees from the query: 0 (itself), 10, 20, 60, 90, 180.
DEGREES = np.radians([0, 20, 10, 60, 90, 180])
CAMERAS = [1, 1, 2, 1, 2, -1]


@pytest.fixture
def gallery():
    embeddings = np.stack([np.cos(DEGREES), np.sin(DEGREES)], axis=1)
    return Gallery(embeddings, ['x.jpg'] * 6, dict(cam_id=CAMERAS))


def test_without_the_query_itself(gallery):
    query = gallery.embeddings[0]
    assert rank_images(gallery, query, 10).rows.tolist() == [0, 2, 1, 3, 4, 5]
    rows, cosines = rank_images(gallery, query, 3, query_row=0)
    assert rows.tolist() == [2, 1, 3]
    np.testing.assert_allclose(cosines, np.cos(np.radians([10, 20, 60])), atol=1e-6)


def test_threshold_hides_what_is_less_similar(gallery):
    query = gallery.embeddings[0]
    for rerank in (False, True):
        rows = rank_images(gallery, query, 10, threshold=0.6, rerank=rerank).rows
        assert sorted(rows) == [0, 1, 2]


def test_without_the_camera_of_the_query(gallery):
    query = gallery.embeddings[0]
    ranking = rank_images(gallery, query, 10, query_row=0, other_cameras=True)
    assert ranking.rows.tolist() == [2, 4, 5]  # one of an unknown camera may be it
    for row in (None, 5):
        with pytest.raises(ValueError, match='camera of the query is unknown'):
            rank_images(gallery, query, 10, query_row=row, other_cameras=True)


@pytest.mark.parametrize('rerank', [False, True])
def test_a_query_of_the_gallery_copies_but_a_part_of_it(rerank, monkeypatch):
    embeddings = np.random.default_rng(0).normal(size=(500, 8))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    gallery = Gallery(embeddings, ['x.jpg'] * 500)
    query = gallery.embeddings[7]
    others = np.delete(np.arange(500), 7)
    expected = others[gallery.select(others).search(query[None], 20, rerank)[0][0]]
    copied = []
    select = Gallery.select
    monkeypatch.setattr(
        Gallery, 'select', lambda self, rows: copied.append(rows) or select(self, rows)
    )
    rows = rank_images(gallery, query, 20, query_row=7, rerank=rerank).rows
    assert rows.tolist() == expected.tolist()
    assert sum(map(len, copied)) < 250


def test_nothing_left():
    lonely = Gallery(np.eye(1), ['x.jpg'])
    assert len(rank_images(lonely, lonely.embeddings[0], 5, query_row=0).rows) == 0


def test_re_ranking_gives_the_order_of_the_gallery(gallery):
    query = gallery.embeddings[0]
    rows, cosines = rank_images(gallery, query, 6, rerank=True)
    assert rows.tolist() == gallery.search(query[None], 6, rerank=True)[0][0].tolist()
    np.testing.assert_allclose(cosines, gallery.embeddings[rows] @ query, atol=1e-6)


def test_cameras_as_they_are_shown(gallery):
    assert camera_of(gallery, 0) == '1'
    assert camera_of(gallery, 5) is None
    named = Gallery(np.eye(2), ['', ''], dict(cam_id=['hall', '']))
    assert [camera_of(named, row) for row in (0, 1)] == ['hall', None]
    assert camera_of(Gallery(np.eye(2), ['', '']), 0) is None
