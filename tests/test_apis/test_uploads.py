"""What is sent as an image, and is none, or too large."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmreid_cc.apis.uploads import MAX_PIXELS, read_upload

CROP = np.random.default_rng(0).integers(0, 256, (32, 16, 3), dtype=np.uint8)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def encoded(image_format, **options):
    file = io.BytesIO()
    Image.fromarray(CROP).save(file, image_format, **options)
    return file.getvalue()


def png_header(width, height):
    """A PNG that says it is large, and has no pixels."""
    header = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    crc = struct.pack('>I', zlib.crc32(header))
    chunk = struct.pack('>I', 13) + header + crc
    return b'\x89PNG\r\n\x1a\n' + chunk + struct.pack('>I', 9) + b'IDAT'


@pytest.mark.parametrize('image_format', ['PNG', 'BMP', 'WEBP', 'JPEG'])
def test_images_of_the_known_types_under_any_name(image_format, tmp_path):
    file = tmp_path / 'upload.txt'
    lossless = dict(lossless=True) if image_format == 'WEBP' else {}
    file.write_bytes(encoded(image_format, **lossless))
    image = read_upload(file)
    assert image.dtype == np.uint8
    assert image.shape == (32, 16, 3)
    if image_format != 'JPEG':
        np.testing.assert_array_equal(image[:, :, ::-1], CROP)


def test_a_photo_is_turned_as_its_exif_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    file = tmp_path / 'photo.png'
    file.write_bytes(encoded('PNG', exif=exif))
    image = read_upload(file)
    np.testing.assert_array_equal(image[:, :, ::-1], np.rot90(CROP, -1))


@pytest.mark.parametrize(
    'content',
    [b'hello', b'', SVG, encoded('GIF'), encoded('TIFF'), encoded('PDF')],
    ids=['text', 'empty', 'svg', 'gif', 'tiff', 'pdf'],
)
def test_other_content_is_refused_under_any_name(content, tmp_path):
    file = tmp_path / 'upload.jpg'
    file.write_bytes(content)
    with pytest.raises(ValueError, match='not an image that can be read') as error:
        read_upload(file)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize('side', [4097, 60000], ids=['large', 'bomb'])
def test_too_many_pixels_are_refused_before_they_are_decoded(side, tmp_path):
    assert side**2 > MAX_PIXELS
    file = tmp_path / 'bomb.png'
    file.write_bytes(png_header(side, side))
    with pytest.raises(ValueError, match='at most 16 million'):
        read_upload(file)


@pytest.mark.parametrize('kept', [400, -20], ids=['header', 'pixels'])
def test_a_part_of_an_image_is_refused(kept, tmp_path):
    file = tmp_path / 'part.jpg'
    file.write_bytes(encoded('JPEG')[:kept])
    with pytest.raises(ValueError, match='broken or incomplete'):
        read_upload(file)
