"""Data sets: what is read, what is warned of, what is refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image

from mmreid_cc.datasets import (
    MSMT17,
    DukeMTMCreID,
    Market1501,
    PersonX,
    ReIDDataset,
    ReIDImageFolder,
    VeRi776,
)


@pytest.fixture
def log(tmp_path):
    """The text of the current logger, read from its file."""
    file = tmp_path / 'log.txt'
    MMLogger.get_instance(str(tmp_path), log_file=str(file), log_level='INFO')
    return file.read_text


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 8)).save(root / name, format='JPEG')


def test_train(market_root):
    dataset = ReIDDataset(market_root)
    assert len(dataset) == 8 * 2 * 3
    assert dataset.column('pid').tolist() == np.repeat(range(1, 9), 6).tolist()
    assert dataset.column('cam_id')[:6].tolist() == [1, 1, 1, 2, 2, 2]
    assert not dataset.column('is_query').any()
    item = dataset[7]
    assert item['sample_idx'] == 7
    assert Path(item['img_path']).parent.name == 'bounding_box_train'
    assert repr(dataset).endswith('48 images, 8 identities, 2 cameras')


def test_test_split_is_query_then_gallery(market_root):
    dataset = ReIDDataset(market_root, split='test')
    is_query = dataset.column('is_query')
    # 8 queries; 16 gallery images and a distractor, but no junk.
    assert is_query.sum() == 8
    assert len(dataset) == 8 + 17
    pids = dataset.column('pid')
    assert set(pids[is_query]) == {9, 10, 11, 12}
    assert 0 in pids[~is_query]
    assert -1 not in pids


def test_top_folder_of_the_archive_may_be_there_or_not(market_root, tmp_path):
    shutil.copytree(market_root, tmp_path / 'Market-1501-v15.09.15')
    assert len(ReIDDataset(tmp_path)) == len(ReIDDataset(market_root))


def test_several_data_sets_in_one_folder(market_root, tmp_path):
    for name in ('duke', 'market'):
        shutil.copytree(market_root, tmp_path / name)
    with pytest.raises(ValueError, match=r'several folders of .*: duke, market'):
        ReIDDataset(tmp_path)


def test_hidden_folders_are_passed_over(tmp_path):
    touch(tmp_path, '.ipynb_checkpoints/1.jpg', '2.jpg')
    (tmp_path / 'folder.jpg').mkdir()
    assert len(ReIDImageFolder(tmp_path)) == 1


def test_published_counts(market_root, log):
    Market1501(market_root)
    assert '48 images instead of 12936' in log()
    assert '8 identities instead of 751' in log()
    assert '2 cameras instead of 6' in log()


def test_no_warning_without_published_counts(market_root, log):
    ReIDDataset(market_root)
    assert 'instead of' not in log()


def test_indices(market_root):
    assert len(ReIDDataset(market_root, indices=5)) == 5
    subset = ReIDDataset(market_root, indices=[47, 0])
    assert subset.column('pid').tolist() == [8, 1]
    assert subset[0]['sample_idx'] == 0


def test_errors(market_root, tmp_path):
    with pytest.raises(ValueError, match="'train' or 'test', not 'val'"):
        ReIDDataset(market_root, split='val')
    with pytest.raises(FileNotFoundError, match=r'does not exist.*data_root'):
        ReIDDataset(tmp_path / 'nowhere')
    (tmp_path / 'bounding_box_train').mkdir()
    with pytest.raises(ValueError, match=r"'train' of .* holds no image"):
        ReIDDataset(tmp_path)
    touch(tmp_path, 'bounding_box_train/alice.jpg')
    with pytest.raises(ValueError, match=r'alice.jpg does not match the pattern'):
        ReIDDataset(tmp_path)


@pytest.mark.parametrize(
    ('cls', 'name', 'pid', 'cam'),
    [
        (Market1501, 'bounding_box_train/0002_c1s1_000451_03.jpg', 2, 1),
        (DukeMTMCreID, 'bounding_box_train/0001_c2_f0046182.jpg', 1, 2),
        (PersonX, 'bounding_box_train/0001_c12_2.jpg', 1, 12),
        (VeRi776, 'image_train/0001_c020_00016450_0.jpg', 1, 20),
        (MSMT17, 'bounding_box_train/0000_c15_0000.jpg', 0, 15),
    ],
)
def test_file_names(tmp_path, cls, name, pid, cam):
    touch(tmp_path, name)
    dataset = cls(tmp_path)
    assert (dataset.column('pid')[0], dataset.column('cam_id')[0]) == (pid, cam)


@pytest.mark.parametrize(
    'folders', [('train', 'test'), ('mask_train_v2', 'mask_test_v2')]
)
def test_msmt17_lists(tmp_path, folders):
    root = tmp_path / 'MSMT17'
    train, test = folders
    lists = {
        'train': (train, '0000/0000_000_01_0303morning_0008_0.jpg 0'),
        'val': (train, '0001/0001_000_14_0303morning_0008_0.jpg 1'),
        'query': (test, '0000/0000_003_02_0303noon_0008_0.jpg 0'),
        'gallery': (test, '0000/0000_004_15_0303noon_0008_0.jpg 0'),
    }
    for name, (folder, line) in lists.items():
        root.mkdir(exist_ok=True)
        (root / f'list_{name}.txt').write_text(line + '\n')
        touch(root / folder, line.split()[0])
    dataset = MSMT17(tmp_path)
    assert dataset.column('pid').tolist() == [0, 1]
    assert dataset.column('cam_id').tolist() == [1, 14]
    assert all(Path(path).is_file() for path in dataset.column('img_path'))
    assert '2 identities' in repr(dataset)
    dataset = MSMT17(tmp_path, split='test')
    assert dataset.column('cam_id').tolist() == [2, 15]
    assert dataset.column('is_query').tolist() == [True, False]


def test_msmt17_broken_list(tmp_path):
    for name in ('train', 'val'):
        (tmp_path / f'list_{name}.txt').write_text('\n0000/nonsense.jpg x\n')
    (tmp_path / 'train').mkdir()
    with pytest.raises(ValueError, match=r"list_train.txt, line 2: .*nonsense.jpg x'"):
        MSMT17(tmp_path)


def test_msmt17_list_of_an_image_that_is_not_there(tmp_path):
    for name in ('train', 'val'):
        (tmp_path / f'list_{name}.txt').write_text('0000/0000_000_01_a b.jpg 0\n')
    touch(tmp_path, 'train/0000/0000_000_01_a b.jpg')
    assert len(MSMT17(tmp_path)) == 2
    (tmp_path / 'train/0000/0000_000_01_a b.jpg').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'list_train.txt, line 1: .*_01_a b.jp'
    ):
        MSMT17(tmp_path)


def test_msmt17_list_in_another_encoding(tmp_path):
    for name in ('train', 'val'):
        line = '0000/0000_000_01_ü.jpg 0\n'
        (tmp_path / f'list_{name}.txt').write_text(line, encoding='latin-1')
    (tmp_path / 'train').mkdir()
    with pytest.raises(ValueError, match=r'list_train.txt is not text in UTF-8'):
        MSMT17(tmp_path)


def test_renamed_folder(market_root, tmp_path):
    shutil.copytree(market_root / 'query', tmp_path / 'query')
    shutil.copytree(market_root / 'bounding_box_test', tmp_path / 'gallery')
    with pytest.raises(
        FileNotFoundError, match='query and bounding_box_test not found'
    ):
        ReIDDataset(tmp_path, split='test')


class TestReIDImageFolder:
    def test_nothing_known(self, tmp_path):
        touch(tmp_path, 'b/2.png', 'a/1.jpg', '.hidden.jpg')
        dataset = ReIDImageFolder(tmp_path)
        assert [Path(p).name for p in dataset.column('img_path')] == ['1.jpg', '2.png']
        assert dataset.column('pid').tolist() == [-1, -1]
        assert dataset.column('cam_id').tolist() == [0, 0]

    def test_pattern_with_names(self, tmp_path):
        touch(
            tmp_path, 'query/al/north_1.jpg', 'gallery/al/2_1.jpg', 'gallery/7/2_2.jpg'
        )
        pattern = r'(?P<pid>[^/]+)/(?P<cam>[^_]+)_'
        dataset = ReIDImageFolder(tmp_path, split='test', pattern=pattern)
        pids, cams = dataset.column('pid'), dataset.column('cam_id')
        # Sorted by path: the query, then 7 and al of the gallery.
        assert pids[0] == pids[2] != pids[1] == 7
        assert cams[0] != cams[1] == cams[2] == 2

    def test_pattern_that_does_not_match(self, tmp_path):
        touch(tmp_path, 'x.jpg')
        with pytest.raises(ValueError, match=r'x.jpg in .* does not match the pattern'):
            ReIDImageFolder(tmp_path, pattern=r'(?P<pid>\d+)')

    def test_csv(self, tmp_path):
        touch(tmp_path, '1.jpg', '2.jpg')
        (tmp_path / 'all.csv').write_text('path,pid,cam\n1.jpg,5,3\n2.jpg,,\n')
        dataset = ReIDImageFolder(tmp_path, train='all.csv')
        assert dataset.column('pid').tolist() == [5, -1]
        assert dataset.column('cam_id').tolist() == [3, 0]

    def test_csv_of_a_table_program(self, tmp_path):
        touch(tmp_path, '1.jpg', '2.jpg', '3.jpg')
        (tmp_path / 'q.csv').write_text('path, pid, cam\n1.jpg, 5.0, 1\n')
        (tmp_path / 'g.csv').write_text('path,pid,cam\n2.jpg,5,2\n3.jpg,,2\n')
        files = dict(train='no', query='q.csv', gallery='g.csv')
        dataset = ReIDImageFolder(tmp_path, split='test', **files)
        # An unknown identity is junk in a gallery.
        assert dataset.column('pid').tolist() == [5, 5]

    def test_tracks_and_times(self, tmp_path):
        touch(tmp_path, 'c/1_t7_0.5.jpg', 'c/1_tx_2.jpg', 'd/2_t7_.jpg')
        pattern = r'(?P<cam>\d)_t(?P<track>[^_]*)_(?P<time>[\d.]*)\.'
        dataset = ReIDImageFolder(tmp_path, pattern=pattern)
        tracks, times = dataset.column('track'), dataset.column('time')
        assert (tracks.dtype, times.dtype) == (np.int64, np.float64)
        assert tracks.tolist() == [7, 10**9, 7]
        np.testing.assert_array_equal(times, [0.5, 2, np.nan])

        text = 'path;track;floor;time\nc/1_tx_2.jpg;;2;\nd/2_t7_.jpg;7;3;0,25\n'
        (tmp_path / 'all.csv').write_text(text)
        dataset = ReIDImageFolder(tmp_path, train='all.csv')
        assert dataset.column('track').tolist() == [-1, 7]
        np.testing.assert_array_equal(dataset.column('time'), [np.nan, 0.25])
        assert dataset.column('floor').tolist() == ['2', '3']
        with pytest.raises(KeyError, match="no column 'floors'"):
            dataset.column('floors')
        unknown = ReIDImageFolder(tmp_path)
        assert unknown.column('track').tolist() == [-1, -1, -1]
        assert np.isnan(unknown.column('time')).all()

    def test_columns_without_a_meaning_are_named(self, tmp_path, log):
        touch(tmp_path, '1.jpg')
        (tmp_path / 'all.csv').write_text('path,cam_id\n1.jpg,5\n')
        ReIDImageFolder(tmp_path, train='all.csv')
        assert log().count('the columns cam_id are kept as metadata') == 1

    def test_other_files_are_counted(self, tmp_path, log):
        crops = tmp_path / 'crops'
        touch(crops, '1.jpg', 'a/2.HEIC', 'a/3.heic', '4.gif', 'a/README', '.5.gif')
        ReIDImageFolder(crops)
        expected = (
            'files that are skipped because of their suffix: 2 .heic, 1 without one, '
        )
        assert log().count(expected + '1 .gif. Images') == 1

    def test_csv_errors(self, tmp_path):
        (tmp_path / 'a.csv').write_text('file,pid\n1.jpg,5\n')
        with pytest.raises(ValueError, match=r'a.csv has the columns "file,pid"'):
            ReIDImageFolder(tmp_path, train='a.csv')
        (tmp_path / 'a.csv').write_text('path\nmissing.jpg\n')
        with pytest.raises(FileNotFoundError, match=r'line 2: .*missing.jpg'):
            ReIDImageFolder(tmp_path, train='a.csv')
        (tmp_path / 'a.csv').write_text('path,time\na.csv,noon\n')
        with pytest.raises(ValueError, match=r"line 2: 'noon' is not a time"):
            ReIDImageFolder(tmp_path, train='a.csv')
        touch(tmp_path, '1.jpg')
        (tmp_path / 'a.csv').write_text('path,pid\n1.jpg,5\n./1.jpg,6\n')
        with pytest.raises(ValueError, match=r"line 3: .*'./1.jpg' .* in line 2"):
            ReIDImageFolder(tmp_path, train='a.csv')
        with pytest.raises(FileNotFoundError, match=r'b.csv does not exist'):
            ReIDImageFolder(tmp_path, train='b.csv')

    def test_a_folder_without_a_test_set(self, tmp_path):
        touch(tmp_path, '1.jpg')
        with pytest.raises(FileNotFoundError, match=r'query does .*A test needs query'):
            ReIDImageFolder(tmp_path, split='test')
        with pytest.raises(
            FileNotFoundError, match=r'no does not .*`data_root`, or `tr'
        ):
            ReIDImageFolder(tmp_path / 'no')

    def test_no_image_plays_two_roles(self, tmp_path):
        touch(tmp_path, 'train/1.jpg', 'query/2.jpg', 'gallery/3.jpg')
        with pytest.raises(ValueError, match=r"train and query .*train='train'"):
            ReIDImageFolder(tmp_path)
        assert len(ReIDImageFolder(tmp_path, train='train')) == 1
        (tmp_path / 'g.csv').write_text('path\ntrain/1.jpg\n')
        with pytest.raises(ValueError, match='1 images are in both train and gallery'):
            ReIDImageFolder(tmp_path, train='train', gallery='g.csv')

    def test_pattern_that_finds_nothing(self, tmp_path, capsys):
        touch(tmp_path, '1.jpg')
        with pytest.raises(ValueError, match=r"'\(' is not a regular expression"):
            ReIDImageFolder(tmp_path, pattern='(')
        with pytest.raises(ValueError, match=r'has no named group'):
            ReIDImageFolder(tmp_path, pattern=r'(\d)')
        ReIDImageFolder(tmp_path, pattern=r'(?P<camera>\d)')  # misspelt
        assert (
            'the groups camera are kept as metadata; those' in capsys.readouterr().out
        )

    def test_pattern_is_for_folders(self, tmp_path):
        touch(tmp_path, '1.jpg')
        (tmp_path / 'a.csv').write_text('path\n1.jpg\n')
        with pytest.raises(ValueError, match='Leave `pattern` out'):
            ReIDImageFolder(tmp_path, train='a.csv', pattern=r'(?P<pid>\d)')


def test_a_number_that_is_too_large(tmp_path):
    """A time stamp in the place of the identity, for example."""
    touch(tmp_path, 'bounding_box_train/20240501123045123456_c1.jpg')
    with pytest.raises(ValueError, match=r'20240501123045123456, which does not fit'):
        ReIDDataset(tmp_path)


class TestUnreadable:
    @pytest.fixture
    def root(self, market_root, tmp_path):
        root = tmp_path / 'market'
        shutil.copytree(market_root, root)
        folder = root / 'bounding_box_train'
        (folder / '0001_c1s1_000000_00.jpg').write_bytes(b'')
        whole = (folder / '0002_c1s1_000007_00.jpg').read_bytes()
        (folder / '0002_c1s1_000007_00.jpg').write_bytes(whole[: len(whole) // 2])
        return root

    def test_error_names_the_file(self, root):
        dataset = ReIDDataset(root, pipeline=[dict(type='mmreid_cc.LoadReIDImage')])
        for index in (0, 7):
            with pytest.raises(OSError, match=r'000[12]_c1s1_00000[07]_00.jpg .*skip'):
                dataset[index]
        assert dataset[1]['img'].shape == (64, 32, 3)

    def test_skipped_and_listed_once(self, root, log):
        dataset = ReIDDataset(root, skip_unreadable=True)
        assert len(dataset) == 48 - 1
        assert log().count('2 of 49 images cannot be read') == 1
        assert log().count('0001_c1s1_000000_00.jpg (UnidentifiedImageError') == 1
        assert '0002_c1s1_000007_00.jpg (OSError: ' in log()

    def test_nothing_readable(self, tmp_path):
        (tmp_path / 'a.jpg').write_bytes(b'')
        with pytest.raises(ValueError, match='none of 1 images can be read'):
            ReIDImageFolder(tmp_path, skip_unreadable=True)
