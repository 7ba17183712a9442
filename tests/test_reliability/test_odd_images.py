"""Images as people have them: what is read and how, what is refused and named."""

import os
import shutil

import numpy as np
import pytest
import torch
from loading import safe_loading
from mmengine.runner import Runner
from mmpretrain.datasets import PackInputs
from PIL import Image
from torch.utils.data import DataLoader

from mmreid_cc.datasets import LoadReIDImage, ReIDDataset, ReIDImageFolder
from mmreid_cc.datasets.crops import list_images
from mmreid_cc.datasets.decoding import decode_image

COLORS = np.zeros((8, 4, 3), np.uint8)
COLORS[:4, :2] = 204, 51, 102  # top left; of the palette of the web
COLORS[4:] = 51, 102, 153  # the lower half


def load(path):
    """The pixels in RGB."""
    return LoadReIDImage()(dict(img_path=str(path)))['img'][:, :, ::-1]


@pytest.fixture
def market(market_root, tmp_path):
    """A copy that may be spoilt."""
    return shutil.copytree(market_root, tmp_path / 'market')


@pytest.mark.parametrize('mode', ['L', '1', 'CMYK', 'P', 'RGBA', 'LA', 'PA'])
def test_colour_modes(tmp_path, mode):
    """The colours of the file, and of one without colours its grey, are kept."""
    suffix = {'CMYK': 'tif', 'PA': 'tif'}.get(mode, 'png')
    Image.fromarray(COLORS).convert(mode).save(tmp_path / f'a.{suffix}')
    pixels = load(tmp_path / f'a.{suffix}')
    assert pixels.shape == (8, 4, 3)
    assert pixels.dtype == np.uint8
    if mode in ('L', 'LA', '1'):
        assert (pixels == pixels[:, :, :1]).all()
        grey = np.asarray(Image.fromarray(COLORS).convert('L'))
        if mode != '1':
            np.testing.assert_array_equal(pixels[:, :, 0], grey)
    else:
        np.testing.assert_array_equal(pixels, COLORS)


def test_transparent_pixels_have_the_colours_beneath(tmp_path):
    image = Image.fromarray(COLORS)
    image.putalpha(0)
    image.save(tmp_path / 'a.png')
    np.testing.assert_array_equal(load(tmp_path / 'a.png'), COLORS)


@pytest.mark.filterwarnings('error::UserWarning')
def test_transparent_palette(tmp_path):
    image = Image.fromarray(COLORS).convert('P')
    image.save(tmp_path / 'a.png', transparency=bytes(range(256)))
    np.testing.assert_array_equal(load(tmp_path / 'a.png'), COLORS)


@pytest.mark.parametrize('suffix', ['png', 'tif'])
def test_16_bits_are_scaled_and_not_clipped(tmp_path, suffix):
    values = np.arange(0, 2**16, 2048, dtype=np.uint16).reshape(8, 4)
    Image.fromarray(values).save(tmp_path / f'a.{suffix}')
    pixels = load(tmp_path / f'a.{suffix}')
    np.testing.assert_array_equal(pixels[:, :, 0], values // 256)


@pytest.mark.parametrize('kind', [np.int32, np.float32])
def test_32_bits_are_refused(tmp_path, kind):
    Image.fromarray(np.ones((8, 4), kind)).save(tmp_path / 'a.tif')
    with pytest.raises(OSError, match=r'a.tif cannot .*range is not known.*convert'):
        load(tmp_path / 'a.tif')


@pytest.mark.parametrize('orientation', range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation):
    """As viewers show it: pixels stored turned or mirrored come out upright."""
    stored = {
        1: COLORS,
        2: COLORS[:, ::-1],
        3: COLORS[::-1, ::-1],
        4: COLORS[::-1],
        5: COLORS.transpose(1, 0, 2),
        6: np.rot90(COLORS),
        7: np.rot90(COLORS, 2).transpose(1, 0, 2),
        8: np.rot90(COLORS, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(np.ascontiguousarray(stored))
    image.save(tmp_path / 'a.png', exif=exif)
    np.testing.assert_array_equal(load(tmp_path / 'a.png'), COLORS)


def test_huge_image(tmp_path, monkeypatch):
    """The limit is that of Pillow, which itself refuses twice as many pixels only."""
    Image.new('1', (300, 300)).save(tmp_path / 'bomb.png')
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 80_000)
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(OSError, match=r'bomb.png .*300 × 300 pixels are more than the'),
    ):
        load(tmp_path / 'bomb.png')
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 40_000)
    with pytest.raises(OSError, match=r'bomb.png .*DecompressionBombError'):
        load(tmp_path / 'bomb.png')
    with pytest.raises(ValueError, match=r'none of 1 images can be read: .*bomb.png'):
        ReIDImageFolder(tmp_path, skip_unreadable=True)


@pytest.mark.parametrize('kept', [0, 10, 400])
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'bmp'])
def test_files_without_their_end(tmp_path, suffix, kept):
    """Zero bytes, a part of the header, a part of the pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 32, 3), np.uint8)
    file = tmp_path / f'a.{suffix}'
    Image.fromarray(noise).save(file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(OSError, match=rf'a.{suffix} cannot be read as an image'):
        load(file)


def test_text_named_as_an_image(tmp_path):
    (tmp_path / 'a.jpg').write_text('<html>404 Not Found</html>')
    with pytest.raises(OSError, match=r'a.jpg cannot .*skip_unreadable=True'):
        load(tmp_path / 'a.jpg')


NAMES = [
    'a b.jpg',
    'ünï 猫.jpg',
    'two\r\nlines.jpg',
    '100 %s {x}.jpg',
    'q\'u"o;.jpg',
    'a:b#c?d.jpg',
    os.fsdecode(b'\xff\xfe.jpg'),  # no UTF-8
]


def test_odd_file_names(tmp_path):
    """Every name that a file system takes, through a worker and back."""
    for name in NAMES:
        Image.fromarray(COLORS).save(tmp_path / name, format='PNG')
    pipeline = [LoadReIDImage(), PackInputs(meta_keys=('img_path',))]
    dataset = ReIDImageFolder(tmp_path, pipeline=pipeline)
    loader = DataLoader(dataset, collate_fn=list, num_workers=1)
    loaded = [sample['data_samples'].img_path for (sample,) in loader]
    assert sorted(loaded) == sorted(str(tmp_path / name) for name in NAMES)


@pytest.mark.parametrize('name', NAMES)
def test_odd_file_names_in_errors(tmp_path, name):
    (tmp_path / name).write_bytes(b'')
    with pytest.raises(OSError, match='cannot be read') as caught:
        load(tmp_path / name)
    assert name in str(caught.value)


def test_odd_file_names_in_a_csv(tmp_path):
    names = [name for name in NAMES if name.isprintable() or '\n' in name]
    for name in names:
        Image.fromarray(COLORS).save(tmp_path / name, format='PNG')
    lines = ['"' + name.replace('"', '""') + '",3,1' for name in names]
    text = '\n'.join(['path,pid,cam', *lines])
    (tmp_path / 'all.csv').write_text(text, encoding='utf-8')
    dataset = ReIDImageFolder(tmp_path, train='all.csv')
    assert dataset.column('img_path').tolist() == [str(tmp_path / n) for n in names]


def test_csv_in_another_encoding(tmp_path):
    (tmp_path / 'all.csv').write_bytes('path\nünï.jpg\n'.encode('utf-16'))
    with pytest.raises(ValueError, match=r'all.csv is not text in UTF-8'):
        ReIDImageFolder(tmp_path, train='all.csv')


def test_a_link_to_nowhere(market):
    link = market / 'bounding_box_train' / '0001_c1s1_999999_00.jpg'
    link.symlink_to(market / 'gone.jpg')
    dataset = ReIDDataset(market, pipeline=[dict(type='mmreid_cc.LoadReIDImage')])
    assert len(dataset) == 49
    index = dataset.column('img_path').tolist().index(str(link))
    with pytest.raises(OSError, match=r'_999999_00.jpg cannot be read .*FileNotFound'):
        dataset[index]


def test_links_to_folders(tmp_path):
    """As of cameras whose images are on other disks; those that lead back end."""
    disk, crops = tmp_path / 'disk', tmp_path / 'crops'
    for folder, name in ((disk / 'night', 'a.png'), (crops, 'b.png')):
        folder.mkdir(parents=True)
        Image.fromarray(COLORS).save(folder / name)
    (crops / 'cam1').symlink_to(disk)
    (crops / '.cam2').symlink_to(disk)
    (disk / 'back').symlink_to(crops)
    (disk / 'night' / 'itself').symlink_to('.')
    names = [str(path.relative_to(crops)) for path in list_images(crops)]
    assert names == ['b.png', 'cam1/night/a.png']
    assert len(ReIDImageFolder(crops)) == 2


def test_a_pipe_is_no_image(tmp_path):
    """Reading it would wait for ever."""
    Image.fromarray(COLORS).save(tmp_path / 'a.png')
    os.mkfifo(tmp_path / 'pipe.png')
    assert list_images(tmp_path) == [tmp_path / 'a.png']


@pytest.mark.skipif(os.geteuid() == 0, reason='root reads every folder')
def test_a_folder_that_must_not_be_read(tmp_path):
    (tmp_path / 'private').mkdir(mode=0o000)
    with pytest.raises(PermissionError, match=r'would be left out.*private'):
        list_images(tmp_path)


def test_skipped_images_are_those_that_loading_refuses(market):
    """``skip_unreadable`` and the pipeline judge alike."""
    folder = market / 'bounding_box_train'
    Image.fromarray(np.ones((8, 4), np.float32)).save(folder / '0001_c1_1.tif')
    (folder / '0001_c1_2.png').write_bytes(b'')
    Image.fromarray(COLORS).convert('CMYK').save(folder / '0001_c1_3.tif')
    dataset = ReIDDataset(market, skip_unreadable=True)
    assert len(dataset) == 48 + 1
    for path in dataset.column('img_path'):
        decode_image(path)


def test_an_image_that_breaks_between_epochs(market, tiny_config):
    """One error with the file's name, out of a worker; a resumed run loses nothing."""
    for loader in (tiny_config.train_dataloader, tiny_config.test_dataloader):
        loader.dataset.data_root = str(market)
        loader.num_workers = 1
    tiny_config.train_cfg.max_epochs = 1
    Runner.from_cfg(tiny_config).train()

    broken = sorted((market / 'bounding_box_train').glob('*.jpg'))[7]
    whole = broken.read_bytes()
    broken.write_bytes(whole[:300])
    tiny_config.train_cfg.max_epochs = 2
    tiny_config.resume = True
    tiny_config.experiment_name += '_broken'
    with (
        safe_loading(),
        pytest.raises(OSError, match=rf'worker process 0(.|\n)*{broken.name} cannot'),
    ):
        Runner.from_cfg(tiny_config).train()

    broken.write_bytes(whole)
    tiny_config.experiment_name += '_repaired'
    runner = Runner.from_cfg(tiny_config)
    with safe_loading():
        runner.train()
    assert (runner.epoch, runner.iter) == (2, 6)
    assert all(torch.isfinite(p).all() for p in runner.model.parameters())
