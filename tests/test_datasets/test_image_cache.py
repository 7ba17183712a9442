"""Images that are kept: the same pixels, shared by all workers."""

import multiprocessing
import pickle

import numpy as np
import pytest
from mmengine.dataset import default_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.datasets.image_cache import ImageCache, fixed_size
from mmreid_cc.datasets.seeding import SeededIndex

RESIZE = dict(type='Resize', scale=(24, 48), backend='pillow', interpolation='bicubic')
META = ('img_path', 'ori_shape', 'img_shape', 'scale', 'scale_factor', 'keep_ratio')
PIPELINE = [
    dict(type='LoadReIDImage'),
    RESIZE,
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PadAndCrop', padding=10),
    dict(type='ReIDRandomErasing', prob=0.5),
    dict(type='PackInputs', meta_keys=META),
]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmreid_cc')


def dataset_of(root, cache=False):
    dataset = ReIDDataset(root, pipeline=PIPELINE)
    if cache:
        dataset.keep_images(ImageCache(len(dataset), (48, 24)))
    return dataset


def contents(item):
    sample = item['data_samples']
    return item['inputs'].numpy(), [sample.get(key) for key in META]


def same(found, expected):
    return np.array_equal(found[0], expected[0]) and found[1] == expected[1]


def test_same_augmented_images(market_root):
    plain, kept = dataset_of(market_root), dataset_of(market_root, cache=True)
    for epoch in range(3):
        for index in (0, 7, len(plain) - 1):
            seeded = SeededIndex(index, seed=(0, epoch, index))
            assert same(contents(kept[seeded]), contents(plain[seeded]))
    assert kept.image_cache._stored.sum() == 3


@pytest.mark.parametrize(('method', 'workers'), [('fork', 2), ('forkserver', 1)])
def test_workers_share(market_root, method, workers):
    """Whether they inherit the data set, or get it pickled."""
    kept = dataset_of(market_root, cache=True)
    loader = DataLoader(
        kept, 8, num_workers=workers, collate_fn=default_collate,
        multiprocessing_context=multiprocessing.get_context(method),
    )  # fmt: skip
    for _ in loader:
        pass
    assert kept.image_cache._stored.all()
    image, size = kept.image_cache.get(3)
    image[:] = 0  # a copy
    assert kept.image_cache.get(3)[0].any()
    assert size == (64, 32)


def test_data_sets_share(market_root):
    kept, other = dataset_of(market_root, cache=True), dataset_of(market_root)
    other.share_images(kept)
    assert other.image_cache is kept.image_cache
    smaller = [PIPELINE[0], dict(RESIZE, scale=(9, 9))]
    smaller = ReIDDataset(market_root, pipeline=smaller)
    test = ReIDDataset(market_root, split='test', pipeline=PIPELINE)
    for stranger in (smaller, test):
        stranger.share_images(kept)
        assert stranger.image_cache is None
    with pytest.raises(ValueError, match='cannot hold the 48 images'):
        smaller.keep_images(kept.image_cache)


def test_unreadable_images_are_not_kept(market_root, tmp_path):
    folder = tmp_path / 'bounding_box_train'
    folder.mkdir()
    (folder / '0001_c1_1.jpg').write_bytes(b'no image')
    kept = dataset_of(tmp_path, cache=True)
    for _ in range(2):
        with pytest.raises(OSError, match='cannot be read as an image'):
            kept[0]
    assert not kept.image_cache._stored.any()


def test_what_can_be_kept(market_root):
    def size(*transforms):
        return fixed_size(ReIDDataset(market_root, pipeline=transforms).pipeline)

    load, random = PIPELINE[0], dict(type='RandomFlip', prob=0.5)
    assert size(*PIPELINE) == (48, 24)
    assert size(load) is None
    assert size(load, random, RESIZE) is None
    assert size(load, dict(type='Resize', scale_factor=0.5)) is None
    assert size(load, dict(type='Resize', scale=(24, 48), keep_ratio=True)) is None


def test_memory():
    cache = ImageCache(5, (4, 2))
    assert ImageCache.nbytes(5, (4, 2)) == 5 * (24 + 8 + 1)
    twin = pickle.loads(pickle.dumps(cache))
    cache.put(4, np.full((4, 2, 3), 7, np.uint8), (70000, 3))
    assert twin.get(4)[0].tolist() == cache.get(4)[0].tolist()
    assert twin.get(4)[1] == (70000, 3)
    assert twin.get(3) is None


def test_another_file_behind_the_number(tmp_path):
    """As a process of another container sees it."""
    cache = ImageCache(5, (4, 2))
    (tmp_path / 'link').symlink_to('/memfd:of another program')
    state = {**cache.__getstate__(), 'file': str(tmp_path / 'link')}
    with pytest.raises(OSError, match='does not hold the images'):
        ImageCache.__new__(ImageCache).__setstate__(state)
