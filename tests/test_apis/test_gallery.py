"""Gallery: exact search, and one file that is mapped, safe, and whole or refused."""

import os
import zipfile

import numpy as np
import pytest

from mmreid_cc.apis import Gallery
from mmreid_cc.apis.gallery_file import write_arrays
from mmreid_cc.evaluation import re_ranking


def unit_rows(count, dim=16, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def gallery():
    paths = [f'crops/日本 {row}.jpg' for row in range(29)] + ['a\udcff.jpg']
    metadata = dict(
        pid=np.arange(30) % 5, camera=[f'c{n % 3}' for n in range(30)], day=[True] * 30
    )
    return Gallery(unit_rows(30), paths, metadata, 'abc')


class TestSearch:
    def test_finds_what_brute_force_finds(self, gallery):
        queries = unit_rows(7, seed=1)
        rows, similarities = gallery.search(queries, topk=4)
        products = queries.astype(np.float64) @ gallery.embeddings.T
        np.testing.assert_array_equal(rows, np.argsort(-products, axis=1)[:, :4])
        expected = np.take_along_axis(products, rows, axis=1)
        assert similarities == pytest.approx(expected, abs=1e-6)
        assert (rows.dtype, similarities.dtype) == (np.int64, np.float32)

    def test_alone_and_together_are_bit_equal(self, gallery):
        queries = unit_rows(24, seed=2)
        for rerank in (False, True):
            together = gallery.search(queries, 5, rerank)
            alone = gallery.search(queries[7:8], 5, rerank)
            for one, many in zip(alone, together, strict=True):
                np.testing.assert_array_equal(one[0], many[7])

    def test_copies_are_ordered_by_row(self):
        gallery = Gallery(np.repeat(unit_rows(2), 10, axis=0), [''] * 20)
        rows, _ = gallery.search(unit_rows(2), topk=10)
        np.testing.assert_array_equal(rows, [range(10), range(10, 20)])

    def test_more_than_there_are(self, gallery):
        assert gallery.search(unit_rows(2), topk=99)[0].shape == (2, 30)

    def test_re_ranking_of_a_small_gallery_is_that_of_the_whole(self, gallery):
        queries = unit_rows(3, seed=3)
        rows, scores = gallery.search(queries, topk=30, rerank=True)
        for query, found, score in zip(queries, rows, scores, strict=True):
            expected = 1 - re_ranking(query[None], gallery.embeddings)[0]
            assert score == pytest.approx(expected[found], abs=1e-5)
            assert (np.diff(score) <= 0).all()
        plain, _ = gallery.search(queries, topk=30)
        assert (plain != rows).any()

    def test_errors(self, gallery):
        with pytest.raises(ValueError, match='have 8 columns, the gallery 16'):
            gallery.search(unit_rows(1, dim=8))
        with pytest.raises(ValueError, match='L2-normalised'):
            gallery.search(2 * unit_rows(1))
        with pytest.raises(ValueError, match='topk must be an integer of at least 1'):
            gallery.search(unit_rows(1), topk=0)
        with pytest.raises(ValueError, match='2-D'):
            gallery.search(unit_rows(1)[0])


def test_select(gallery):
    others = gallery.select(gallery.metadata['camera'] != 'c1')
    assert len(others) == 20
    assert set(others.metadata['camera']) == {'c0', 'c2'}
    assert others.paths[1] == gallery.paths[2]
    assert others.model_hash == 'abc'
    np.testing.assert_array_equal(gallery.select([3]).embeddings[0], unit_rows(30)[3])
    with pytest.raises(ValueError, match='at least one row'):
        gallery.select(np.zeros(30, bool))


def test_what_does_not_fit():
    rows = unit_rows(3)
    with pytest.raises(ValueError, match=r'paths must have one entry .* 3 .*\(2,\)'):
        Gallery(rows, ['a', 'b'])
    with pytest.raises(ValueError, match='pid must have one entry'):
        Gallery(rows, ['', '', ''], dict(pid=[[1], [2], [3]]))
    with pytest.raises(TypeError, match="'who' are Python objects"):
        Gallery(rows, ['', '', ''], dict(who=[None, 1, 'b']))
    with pytest.raises(ValueError, match='L2-normalised'):
        Gallery(3 * rows, ['', '', ''])
    with pytest.raises(ValueError, match='NaN'):
        Gallery(rows * np.nan, ['', '', ''])


def test_arrays_in_a_file_are_checked_as_those_in_memory(tmp_path):
    def mapped(array):
        np.save(tmp_path / 'rows.npy', array)
        return np.load(tmp_path / 'rows.npy', mmap_mode='r')

    rows = unit_rows(3)
    doubles = Gallery(mapped(rows.astype(np.float64)), ['', '', ''])
    assert doubles.embeddings.dtype == np.float32
    with pytest.raises(ValueError, match='NaN'):
        Gallery(mapped(rows * np.nan), ['', '', ''])
    with pytest.raises(ValueError, match='2-D'):
        Gallery(mapped(rows[0]), [''])


class TestFile:
    @pytest.fixture
    def file(self, gallery, tmp_path):
        gallery.save(tmp_path / 'new folder' / 'gallery.npz')
        return tmp_path / 'new folder' / 'gallery.npz'

    def test_comes_back(self, gallery, file):
        loaded = Gallery.load(file)
        assert isinstance(loaded.embeddings.base, np.memmap)  # no copy
        assert not loaded.embeddings.flags.writeable
        assert loaded.embeddings.ctypes.data % 64 == 0
        np.testing.assert_array_equal(loaded.embeddings, gallery.embeddings)
        assert loaded.paths == gallery.paths
        assert set(loaded.metadata) == {'pid', 'camera', 'day'}
        for name, column in gallery.metadata.items():
            np.testing.assert_array_equal(loaded.metadata[name], column)
        assert loaded.model_hash == 'abc'
        queries = unit_rows(4, seed=1)
        for rerank in (False, True):
            for found, expected in zip(
                loaded.search(queries, 5, rerank),
                gallery.search(queries, 5, rerank),
                strict=True,
            ):
                np.testing.assert_array_equal(found, expected)

    def test_numpy_reads_it(self, gallery, file):
        with np.load(file) as arrays:
            np.testing.assert_array_equal(arrays['embeddings'], gallery.embeddings)
            assert arrays['paths'][0] == 'crops/日本 0.jpg'
            assert arrays['metadata/pid'][6] == 1
        assert zipfile.ZipFile(file).testzip() is None

    def test_it_can_be_saved_where_it_came_from(self, gallery, file):
        loaded = Gallery.load(file)
        loaded.save(file)
        np.testing.assert_array_equal(loaded.embeddings, gallery.embeddings)
        assert Gallery.load(file).paths == gallery.paths
        assert os.listdir(file.parent) == ['gallery.npz']

    def test_cut_off(self, file):
        content = file.read_bytes()
        for length in range(0, len(content), 97):
            file.write_bytes(content[:length])
            with pytest.raises(ValueError, match=r'gallery\.npz cannot be read'):
                Gallery.load(file)

    def test_foreign_files(self, file):
        with pytest.raises(FileNotFoundError):
            Gallery.load('missing.npz')
        file.write_bytes(b'something else' * 99)
        with pytest.raises(ValueError, match='it is not a gallery of this library'):
            Gallery.load(file)
        np.savez(file, features=np.eye(3))
        with pytest.raises(ValueError, match='it has no embeddings and no model_hash'):
            Gallery.load(file)
        np.savez_compressed(file, embeddings=np.eye(3, dtype=np.float32))
        with pytest.raises(ValueError, match='its embeddings are compressed'):
            Gallery.load(file)
        np.savez(file, embeddings=np.eye(3))
        with pytest.raises(ValueError, match=r'its embeddings are float64 of shape'):
            Gallery.load(file)
        np.savez(file, embeddings=3 * unit_rows(2), paths=['', ''], model_hash='')
        with pytest.raises(ValueError, match=r'npz is not a gallery: .*L2-normalised'):
            Gallery.load(file)

    def test_a_pickle_in_it_is_not_executed(self, file, tmp_path):
        class Malicious:
            def __reduce__(self):
                return os.mkdir, (str(tmp_path / 'executed'),)

        objects = np.array([Malicious()], dtype=object)
        np.savez(file, embeddings=unit_rows(1), paths=objects, model_hash='')
        with pytest.raises(ValueError, match='cannot be read'):
            Gallery.load(file)
        assert not (tmp_path / 'executed').exists()

    def test_what_was_there_stays_if_writing_fails(self, gallery, file):
        with pytest.raises(ValueError, match='Object arrays cannot be saved'):
            write_arrays(file, {'paths': np.array([None])})
        assert Gallery.load(file).paths == gallery.paths
        assert os.listdir(file.parent) == ['gallery.npz']
