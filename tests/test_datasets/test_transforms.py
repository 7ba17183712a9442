"""The pipelines have the pixels of the reference: torchvision's and Pillow's."""

import numpy as np
import pytest
import torch
from conftest import ROOT
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpretrain.datasets.transforms import RandomCrop
from mmpretrain.models import ClsDataPreprocessor
from PIL import Image
from torchvision import transforms

from mmreid_cc.datasets import (
    ChannelAugmentation,
    LoadReIDImage,
    PadAndCrop,
    ReIDRandomErasing,
)
from mmreid_cc.registry import TRANSFORMS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture
def config():
    init_default_scope('mmreid_cc')
    return Config.fromfile(ROOT / 'configs' / 'cc_r50_market.py')


@pytest.fixture
def path(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (128, 64, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / 'crop.jpg', quality=80)
    return str(tmp_path / 'crop.jpg')


def run(pipeline, path):
    results = dict(img_path=path, sample_idx=0, pid=3, cam_id=2, is_query=True)
    for transform in pipeline:
        results = TRANSFORMS.build(transform)(results)
    return results


def normalised(packed):
    preprocess = ClsDataPreprocessor(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True
    )
    return preprocess(dict(inputs=packed['inputs'][None]))['inputs'][0]


def test_test_pipeline_equals_torchvision(config, path):
    packed = run(config.test_dataloader.dataset.pipeline, path)
    reference = transforms.Compose(
        [
            transforms.Resize((256, 128), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )(Image.open(path).convert('RGB'))
    torch.testing.assert_close(normalised(packed), reference, atol=1e-5, rtol=0)
    sample = packed['data_samples']
    assert (sample.pid, sample.cam_id, sample.is_query) == (3, 2, True)


def test_pad_and_crop_equal_torchvision(config, path):
    """Every crop that our pipeline draws is one of the padded image of Pillow."""
    pipeline = [
        t
        for t in config.train_dataloader.dataset.pipeline
        if t.type not in ('RandomFlip', 'ReIDRandomErasing')
    ]
    image = Image.open(path).convert('RGB').resize((128, 256), Image.Resampling.BICUBIC)
    padded = np.asarray(transforms.Pad(10)(image))
    offsets = set()
    for seed in range(20):
        np.random.seed(seed)
        ours = run(pipeline, path)['inputs'].numpy().transpose(1, 2, 0)[..., ::-1]
        found = [
            (top, left)
            for top in range(21)
            for left in range(21)
            if np.array_equal(padded[top, left : left + 128], ours[0])
            and np.array_equal(padded[top : top + 256, left : left + 128], ours)
        ]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) > 10


def test_pad_and_crop_equal_mmpretrain():
    """The same draws and pixels as RandomCrop to the size of the image."""
    image = np.random.default_rng(0).integers(0, 256, (24, 12, 3)).astype(np.uint8)
    for padding in (1, 10):
        crop = RandomCrop((24, 12), padding=padding)
        np.random.seed(padding)
        expected = [crop(dict(img=image))['img'] for _ in range(50)]
        np.random.seed(padding)
        for wanted in expected:
            found = PadAndCrop(padding)(dict(img=image))['img']
            np.testing.assert_array_equal(found, wanted)
    with pytest.raises(ValueError, match='padding must be positive, not 0'):
        PadAndCrop(0)


def test_training_samples_carry_no_identity(config, path):
    sample = run(config.train_dataloader.dataset.pipeline, path)['data_samples']
    assert sample.sample_idx == 0
    assert not {'pid', 'cam_id', 'gt_label'} & set(sample.all_keys())


def test_erased_color_is_the_references(path):
    """0.485, 0.456, 0.406 written into the normalised image, up to rounding."""
    image = LoadReIDImage()(dict(img_path=path))['img']
    np.random.seed(0)
    erased = ReIDRandomErasing(prob=1.0)(dict(img=image))['img']
    changed = (erased != image).any(axis=2)
    packed = dict(inputs=torch.tensor(erased.copy()).permute(2, 0, 1))
    values = normalised(packed)[:, torch.tensor(changed)]
    expected = torch.tensor(MEAN)[:, None].expand_as(values)
    torch.testing.assert_close(values, expected, atol=0.01, rtol=0)


def test_erasing_has_the_distribution_of_the_reference():
    """Area and aspect of erased rectangles against a loop as the paper describes it."""
    height, width = 256, 128
    rng = np.random.default_rng(0)
    reference = []
    while len(reference) < 4000:
        area = rng.uniform(0.02, 0.4) * height * width
        aspect = rng.uniform(0.3, 1 / 0.3)
        h, w = round(np.sqrt(area * aspect)), round(np.sqrt(area / aspect))
        if h < height and w < width:
            reference.append((h, w))
    np.random.seed(0)
    erasing = ReIDRandomErasing()
    drawn = [erasing.random_rectangle(height, width) for _ in range(4000)]
    sizes = np.array([(h, w) for _, _, h, w in drawn])
    for quantile in (10, 50, 90):
        ours = np.percentile(sizes, quantile, axis=0)
        theirs = np.percentile(reference, quantile, axis=0)
        np.testing.assert_allclose(ours, theirs, rtol=0.06)
    tops = np.array([(top, left) for top, left, _, _ in drawn])
    assert (tops + sizes <= (height, width)).all()
    assert (tops >= 0).all()


def test_erasing_probability_and_purity():
    np.random.seed(0)
    image = np.zeros((64, 32, 3), np.uint8)
    erasing = ReIDRandomErasing(prob=0.3)
    changed = [erasing(dict(img=image))['img'].any() for _ in range(1000)]
    assert 0.25 < np.mean(changed) < 0.35
    assert not image.any()


@pytest.mark.parametrize(
    'arguments',
    [dict(prob=1.5), dict(area_range=(0.4, 0.1)), dict(aspect_range=(0, 1))],
)
def test_erasing_refuses(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        ReIDRandomErasing(**arguments)


@pytest.mark.parametrize('mode', ['L', 'CMYK', 'RGBA', 'P', 'I;16'])
def test_loading_other_colour_modes(tmp_path, mode):
    suffix = 'png' if mode in ('RGBA', 'P', 'I;16') else 'jpg'
    Image.new(mode, (5, 7)).save(tmp_path / f'a.{suffix}')
    loaded = LoadReIDImage()(dict(img_path=str(tmp_path / f'a.{suffix}')))
    assert loaded['img'].shape == (7, 5, 3)
    assert loaded['img'].dtype == np.uint8


def test_one_channel_takes_the_place_of_all():
    image = np.random.default_rng(0).integers(0, 256, (8, 4, 3)).astype(np.uint8)
    blue, green, red = image.transpose(2, 0, 1)
    grey = np.rint(0.114 * blue + 0.587 * green + 0.299 * red).astype(np.uint8)
    expected = dict(red=red, green=green, blue=blue, gray=grey)
    for name, channel in expected.items():
        found = ChannelAugmentation(channels=[name]).transform(dict(img=image))['img']
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, np.stack([channel] * 3, axis=2))
    infrared = np.stack([red] * 3, axis=2)
    every = ChannelAugmentation(channels=list(expected))
    for _ in range(20):
        results = every.transform(dict(img=infrared))
        np.testing.assert_array_equal(results['img'], infrared)
    drawn = {
        name
        for _ in range(60)
        for name, channel in expected.items()
        if (every.transform(dict(img=image))['img'] == channel[..., None]).all()
    }
    assert drawn == expected.keys()
    never = ChannelAugmentation(prob=0).transform(dict(img=image))['img']
    np.testing.assert_array_equal(never, image)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(prob=2), r'prob must be in \[0, 1\], not 2'),
        (dict(channels=['infrared']), r"channels must be some of .*\['infrared'\]"),
        (dict(channels=[]), 'channels must be some of'),
    ],
)
def test_channel_augmentation_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        ChannelAugmentation(**arguments)
