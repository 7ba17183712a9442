"""LanceGallery: a Gallery on disk, which grows while it is searched, and survives."""

import multiprocessing
import os
import shutil
import signal
import time
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import need_extra

from mmreid_cc.apis import Gallery, LanceGallery, open_gallery
from mmreid_cc.apis.gallery_ranking import rank_images
from mmreid_cc.apis.lance_table import is_lance_uri, split_uri

need_extra('lancedb', 'galleries on disk are the extra "lancedb"')


def unit_rows(count, seed=0, dim=16):
    """Rows in groups of some ten, as images of people are."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(max(1, count // 10), dim))
    rows = centres[rng.integers(0, len(centres), count)]
    rows = rows + 0.4 * rng.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def gallery_of(count, seed=0, dim=16, model_hash='abc'):
    rows = np.arange(count)
    metadata = dict(
        pid=rows % 5,
        camera=[f'Tür {row % 3}' for row in rows],
        day=rows % 2 == 0,
        time=np.where(rows % 4, rows / 7, np.nan),
    )
    paths = [f'crops/日本 {seed} {row}.jpg' for row in rows]
    return Gallery(unit_rows(count, seed, dim), paths, metadata, model_hash)


@pytest.fixture
def uri(tmp_path):
    return tmp_path / 'new' / 'city.lance'


def assert_holds(lance, *parts):
    """Whether a gallery on disk is some galleries, one after the other."""
    assert len(lance) == sum(map(len, parts))
    assert list(lance.paths) == [path for part in parts for path in part.paths]
    embeddings = np.concatenate([part.embeddings for part in parts])
    np.testing.assert_array_equal(np.asarray(lance.embeddings), embeddings)
    assert list(lance.metadata) == list(parts[0].metadata)
    for name in parts[0].metadata:
        expected = np.concatenate([part.metadata[name] for part in parts])
        np.testing.assert_array_equal(lance.metadata[name], expected)
        assert lance.metadata[name].dtype.kind == expected.dtype.kind


class TestWithoutAnIndex:
    def test_finds_what_a_gallery_finds_bit_by_bit(self, uri):
        gallery = gallery_of(400)
        gallery.to_lance(uri)
        lance = open_gallery(uri)
        queries = unit_rows(9, seed=1)
        for rerank in (False, True):
            for topk in (7, 999):
                found = lance.search(queries, topk, rerank)
                expected = gallery.search(queries, topk, rerank)
                for ours, theirs in zip(found, expected, strict=True):
                    np.testing.assert_array_equal(ours, theirs)
                    assert ours.dtype == theirs.dtype
        assert lance.recall == 1
        assert lance.model_hash == 'abc'
        assert repr(lance).endswith(
            "400 images, 16 dimensions, metadata ['pid', 'camera', 'day', 'time'], "
            'model abc)'
        )

    def test_holds_what_the_gallery_holds(self, uri):
        gallery = gallery_of(400)
        gallery.to_lance(uri)
        lance = LanceGallery(uri)
        assert_holds(lance, gallery)
        assert lance.paths[-1] == gallery.paths[-1]
        rows = [300, 2, 300]
        np.testing.assert_array_equal(lance.embeddings[rows], gallery.embeddings[rows])
        chosen = lance.select(gallery.metadata['camera'] == 'Tür 1')
        expected = gallery.select(gallery.metadata['camera'] == 'Tür 1')
        assert chosen.paths == expected.paths
        np.testing.assert_array_equal(chosen.embeddings, expected.embeddings)
        with pytest.raises(ValueError, match='at least one row'):
            lance.select(np.zeros(400, bool))
        with pytest.raises(IndexError):
            lance.select([400])

    def test_copies_are_ordered_by_row(self, uri):
        rows = np.repeat(unit_rows(2), 10, axis=0)
        Gallery(rows, [''] * 20).to_lance(uri)
        found, _ = LanceGallery(uri).search(rows[::10], topk=10)
        np.testing.assert_array_equal(found, [range(10), range(10, 20)])

    def test_lists_of_the_page(self, uri):
        gallery = gallery_of(300)
        gallery.metadata['cam_id'] = np.arange(300) % 4 - 1
        gallery.to_lance(uri)
        lance = LanceGallery(uri)
        for options in (
            dict(),
            dict(query_row=7),
            dict(query_row=7, other_cameras=True),
            dict(query_row=7, other_cameras=True, rerank=True, threshold=0.3),
        ):
            ours = rank_images(lance, lance.embeddings[7], 20, **options)
            theirs = rank_images(gallery, gallery.embeddings[7], 20, **options)
            assert ours.rows.tolist() == theirs.rows.tolist()


class TestGrowing:
    def test_rows_keep_their_numbers(self, uri):
        parts = [gallery_of(40, seed) for seed in range(4)]
        parts[0].to_lance(uri)
        reader, writer = LanceGallery(uri), LanceGallery(uri)
        for number, part in enumerate(parts[1:], start=1):
            writer.add(part)
            found, similarities = reader.search(part.embeddings[:1], topk=1)
            assert found == [[40 * number]]
            assert similarities == pytest.approx(1)
            assert_holds(reader, *parts[: number + 1])
        writer.optimize()  # joins the files
        assert_holds(reader, *parts)
        writer.add(parts[0])
        assert_holds(reader, *parts, parts[0])
        assert_holds(LanceGallery(uri), *parts, parts[0])

    def test_searching_while_another_process_adds(self, uri):
        first = gallery_of(100)
        first.to_lance(uri)
        reader = LanceGallery(uri)
        queries = unit_rows(3, seed=5)
        with adding(uri) as (_, told):
            acknowledged = 0
            while acknowledged < 5:
                acknowledged = told.recv()
                found, _ = reader.search(queries, topk=10_000)
                assert found.shape[1] >= 100 + 30 * acknowledged
                assert (np.sort(found[0]) == np.arange(found.shape[1])).all()

    def test_what_does_not_fit(self, uri):
        gallery_of(40).to_lance(uri)
        lance = LanceGallery(uri)
        with pytest.raises(ValueError, match=r'networks.*hash xyz, and there abc'):
            lance.add(gallery_of(5, model_hash='xyz'))
        other = gallery_of(5)
        del other.metadata['day']
        with pytest.raises(ValueError, match=r'has the columns.*same metadata'):
            lance.add(other)
        with pytest.raises(ValueError, match='same metadata'):
            lance.add(gallery_of(5, dim=8))
        with pytest.raises(FileExistsError, match=r'city\.lance exists already'):
            gallery_of(5).to_lance(uri)
        assert_holds(lance, gallery_of(40))


class TestIndex:
    @pytest.fixture(scope='class')
    def early_index(self):
        with pytest.MonkeyPatch.context() as monkeypatch:
            for module in ('lance_index', 'lance_gallery'):
                name = f'mmreid_cc.apis.{module}.FEWEST_INDEXED_ROWS'
                monkeypatch.setattr(name, 2000)
            yield

    @pytest.fixture(scope='class')
    def stored(self, early_index, tmp_path_factory):
        gallery = gallery_of(8000)
        folder = tmp_path_factory.mktemp('stored')
        gallery.to_lance(folder / 'city.lance')
        return gallery, folder

    @pytest.fixture
    def indexed(self, stored, uri):
        gallery, folder = stored
        shutil.copytree(folder, uri.parent)
        return gallery

    def test_most_are_found_and_what_is_found_is_exact(self, indexed, uri):
        lance = LanceGallery(uri)
        assert 0.98 <= lance.recall < 1
        assert lance._settings.probes < 89  # not all of the cells, √8000
        queries = unit_rows(100, seed=1)
        products = queries.astype(np.float64) @ indexed.embeddings.T.astype(np.float64)
        rows, similarities = lance.search(queries, topk=10)
        expected = np.take_along_axis(products, rows, axis=1)
        assert similarities == pytest.approx(expected, abs=1e-6)
        assert (np.diff(similarities) <= 0).all()
        tenth = np.sort(products, axis=1)[:, -10:-9]
        assert (expected >= tenth - 1e-9).mean() > 0.93
        assert lance.search(queries[:2], topk=9999)[0].shape == (2, 8000)

    def test_the_estimate_is_that_of_neighbour_lists(self, indexed, uri):
        lance = LanceGallery(uri)
        tested = np.sort(np.random.default_rng(0).choice(8000, 200, replace=False))
        queries = indexed.embeddings[tested]
        _, found = lance.search(queries, topk=10)
        _, exact = indexed.search(queries, topk=10)
        assert lance.recall == pytest.approx((found >= exact[:, -1:]).mean())

    def test_new_rows_are_found_before_and_after_they_are_indexed(self, indexed, uri):
        lance, new = LanceGallery(uri), gallery_of(50, seed=3)
        lance.add(new)
        for optimized in (False, True):
            if optimized:
                lance.optimize()
            found, _ = lance.search(new.embeddings, topk=1)
            assert (found[:, 0] == np.arange(8000, 8050)).mean() > 0.95
            assert_holds(lance, indexed, new)
        assert lance._newest.list_indices()[0].num_unindexed_rows == 0
        assert lance.recall >= 0.98

    def test_dimensions_that_the_codes_do_not_take(self, early_index, tmp_path):
        gallery = gallery_of(2500, dim=12)
        gallery.to_lance(tmp_path / 'odd.lance')
        lance = LanceGallery(tmp_path / 'odd.lance')
        rows, _ = lance.search(gallery.embeddings[:50], topk=1)
        assert rows[:, 0].tolist() == list(range(50))


class TestKilled:
    @pytest.mark.parametrize('optimizing', [False, True])
    def test_nothing_acknowledged_is_lost(self, uri, optimizing):
        first, part = gallery_of(100), gallery_of(30, seed=1)
        first.to_lance(uri)
        rng = np.random.default_rng(int(optimizing))
        known = 0
        for _ in range(2):
            with adding(uri, optimizing) as (writer, told):
                while (acknowledged := told.recv()) < 3:
                    pass
                time.sleep(rng.uniform(0, 0.05))
                os.kill(writer.pid, signal.SIGKILL)
                writer.join()
                while told.poll():  # until its end, which counts as something to read
                    try:
                        acknowledged = told.recv()
                    except EOFError:
                        break
            lance = LanceGallery(uri)
            added = (len(lance) - len(first)) / len(part) - known
            # The last part may have been written, and not told of any more.
            assert added in (acknowledged, acknowledged + 1)
            known += int(added)
            assert_holds(lance, first, *[part] * known)
            found, _ = lance.search(first.embeddings[:5], topk=1)
            assert found[:, 0].tolist() == list(range(5))
        LanceGallery(uri).add(part)
        assert len(LanceGallery(uri)) == len(first) + (known + 1) * len(part)


@contextmanager
def adding(uri, optimizing=False):
    """A process that adds images again and again, and the count that it tells of."""
    context = multiprocessing.get_context('forkserver')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=add_again, args=(uri, optimizing, sender))
    process.start()
    sender.close()
    try:
        yield process, receiver
    finally:
        process.kill()
        process.join()
        receiver.close()


def add_again(uri, optimizing, sender):
    lance = LanceGallery(uri)
    number = 0
    while True:
        lance.add(gallery_of(30, seed=1))
        number += 1
        sender.send(number)
        if optimizing:
            lance.optimize()


class TestUri:
    def test_places(self):
        assert split_uri('s3://bucket/a/city.lance') == ('s3://bucket/a', 'city')
        assert split_uri('city.lance/') == ('.', 'city')
        assert split_uri('/city.lance') == ('/', 'city')
        assert not is_lance_uri('gallery.npz')
        for wrong in ('gallery.npz', 'folder/.lance', ''):
            with pytest.raises(ValueError, match=r'Name it `folder/name\.lance`'):
                split_uri(wrong)

    def test_what_is_no_gallery(self, tmp_path, uri):
        with pytest.raises(FileNotFoundError, match=r'no gallery .*city\.lance'):
            LanceGallery(uri)
        import lancedb

        lancedb.connect(tmp_path).create_table('other', [dict(number=1)])
        with pytest.raises(ValueError, match='it has no embedding and no path'):
            LanceGallery(tmp_path / 'other.lance')

    def test_texts_that_a_table_does_not_hold(self, uri):
        for paths, metadata, message in (
            (['a\udcff.jpg'], {}, 'is not in UTF-8, as LanceDB'),
            (['a.jpg'], dict(note=['a\udcff']), 'is not in UTF-8'),
            (['a.jpg'], dict(path=[1]), 'metadata path have the name'),
        ):
            with pytest.raises(ValueError, match=message):
                Gallery(np.eye(1, 8), paths, metadata).to_lance(uri)
        assert not uri.exists()

    def test_rows_that_another_program_deleted(self, uri):
        import lancedb

        gallery_of(40).to_lance(uri)
        lancedb.connect(uri.parent).open_table('city').delete('pid = 2')
        with pytest.raises(ValueError, match='were deleted by another program'):
            LanceGallery(uri)

    @pytest.mark.parametrize('optimized', [False, True])
    @pytest.mark.parametrize(
        'condition', ["path LIKE '% 0 %'", "path LIKE '% 1 %'", "path LIKE '% 1 19%'"]
    )
    def test_rows_deleted_while_it_is_open(self, uri, condition, optimized):
        import lancedb

        gallery_of(20).to_lance(uri)
        gallery = LanceGallery(uri)
        gallery.add(gallery_of(20, seed=1))
        assert len(gallery) == 40
        # Whole fragments, or the end of one; and then as many rows as were deleted.
        table = lancedb.connect(uri.parent).open_table('city')
        table.delete(condition)
        gallery.add(gallery_of(40 - table.count_rows(), seed=2))
        if optimized:
            table.optimize()
        with pytest.raises(ValueError, match='were deleted by another program'):
            len(gallery)


def test_without_lancedb(uri, monkeypatch):
    gallery_of(4).to_lance(uri)
    monkeypatch.setattr('mmreid_cc.apis.lance_table.find_spec', lambda name: None)
    for act in (lambda: LanceGallery(uri), lambda: gallery_of(4).to_lance(uri)):
        with pytest.raises(ImportError, match=r'pip install "mmreid-cc\[lancedb\]"'):
            act()
