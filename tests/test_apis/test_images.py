"""Whatever may be given as images."""

import numpy as np
import pytest
import torch
from conftest import write_crop
from PIL import Image

from mmreid_cc.apis.images import each_image, name_of, to_bgr

ARRAY = np.zeros((8, 4, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    for name in ('b.png', 'a/2.jpg', 'a/10.JPG', '.hidden/c.png'):
        write_crop(tmp_path / name, 1, 1)
    (tmp_path / 'notes.txt').write_text('no image')
    return tmp_path


def test_files_and_folders(folder):
    expected = [str(folder / name) for name in ('a/10.JPG', 'a/2.jpg', 'b.png')]
    assert list(each_image(folder)) == expected
    assert list(each_image(str(folder))) == expected
    assert list(each_image(folder / 'b.png')) == expected[2:]
    assert list(each_image([folder / 'a', str(folder / 'b.png')])) == expected
    assert list(each_image(np.array(expected))) == expected
    assert list(each_image(iter(expected))) == expected


def test_arrays_and_pillow_images(folder):
    assert next(iter(each_image(ARRAY))) is ARRAY
    assert len(list(each_image(np.stack([ARRAY, ARRAY])))) == 2
    image = Image.open(folder / 'b.png')
    assert list(each_image([ARRAY, image]))[1] is image
    assert name_of(image) == str(folder / 'b.png')
    assert [name_of(ARRAY), name_of(Image.new('L', (4, 8)))] == ['', '']


def test_nothing_is_taken_from_a_generator_before_it_is_needed():
    taken = []
    found = each_image(taken.append(index) or ARRAY for index in range(5))
    next(found)
    assert taken == [0]


def test_pillow_images_become_bgr():
    assert to_bgr(Image.new('RGB', (1, 1), (1, 2, 3))).tolist() == [[[3, 2, 1]]]
    grey = Image.fromarray(np.array([[0x1234, 0xFFFF]], np.uint16))
    assert to_bgr(grey).tolist() == [[[0x12] * 3, [0xFF] * 3]]


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        (7, 'Image 0 is given as int'),
        ([ARRAY, None], 'Image 1 is given as NoneType'),
        (ARRAY[..., 0], r'Image 0 is given as ndarray of shape \(4,\) and uint8'),
        (ARRAY / 255, r'Image 0 is given as ndarray of shape \(8, 4, 3\) and float64'),
        (ARRAY.transpose(2, 0, 1), r'of shape \(3, 8, 4\)'),
        (torch.zeros(2, 3, 8, 4), r'Image 0 is given as Tensor of shape \(3, 8, 4\)'),
        ([['a.jpg']], 'Image 0 is given as list'),
    ],
)
def test_what_is_no_image(images, message):
    with pytest.raises(TypeError, match=message):
        list(each_image(images))


def test_a_folder_without_images(tmp_path):
    with pytest.raises(ValueError, match=r'holds no image: no file that ends in \.jpg'):
        list(each_image(tmp_path))
