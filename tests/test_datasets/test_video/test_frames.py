"""Videos as people have them."""

import re

import numpy as np
import pytest
from PIL import Image
from small_videos import HEIGHT, WIDTH, frame_pixels, number_of, turn, write_video

from mmreid_cc.datasets.video import open_frames


@pytest.mark.parametrize(
    ('name', 'codec', 'pixel_format'),
    [
        ('a.mp4', 'libx264', 'yuv420p'),
        ('a.avi', 'mjpeg', 'yuvj420p'),
        ('a.mkv', 'ffv1', 'yuv420p10le'),  # 10 bits
    ],
)
def test_numbers_times_and_pixels(tmp_path, name, codec, pixel_format):
    frames = open_frames(write_video(tmp_path / name, 9, codec, pixel_format))
    assert (frames.width, frames.height) == (WIDTH, HEIGHT)
    seen = list(frames)
    assert [frame.number for frame in seen] == list(range(1, 10))
    np.testing.assert_allclose([frame.time for frame in seen], np.arange(9) / 10)
    pixels = [frame.pixels() for frame in seen]
    assert [number_of(each) for each in pixels] == list(range(1, 10))
    assert abs(pixels[4].astype(int) - frame_pixels(5)).mean() < 3
    assert frames.count() == 9


def test_variable_frame_rate(tmp_path):
    times = [0, 40, 500, 2000, 2040]
    frames = open_frames(write_video(tmp_path / 'a.mkv', 5, times=times))
    seen = [frame.time for frame in frames]
    np.testing.assert_allclose(seen, np.array(times) / 1000, atol=0.002)


def test_a_video_of_a_phone(tmp_path):
    turn(write_video(tmp_path / 'a.mp4', 2))
    frames = open_frames(tmp_path / 'a.mp4')
    assert (frames.width, frames.height) == (HEIGHT, WIDTH)
    pixels = next(iter(frames)).pixels()
    assert pixels.shape == (WIDTH, HEIGHT, 3)
    # The white square of the upper left is at the upper right.
    assert pixels[:16, -16:].mean() > 200
    assert pixels[:16, :16].mean() < 50


def test_broken_frames(tmp_path):
    write_video(tmp_path / 'a.avi', 9, 'mjpeg', 'yuvj420p')
    content = bytearray((tmp_path / 'a.avi').read_bytes())
    fifth = [match.start() for match in re.finditer(b'\xff\xd8\xff', content)][4]
    content[fifth : fifth + 600] = bytes(600)
    (tmp_path / 'a.avi').write_bytes(content)
    with pytest.raises(
        ValueError, match=r'a\.avi: frame \d cannot be decoded .*--skip-'
    ):
        list(open_frames(tmp_path / 'a.avi'))
    seen = list(open_frames(tmp_path / 'a.avi', skip_broken=True))
    assert [frame.number for frame in seen] == list(range(1, 10))
    pixels = {frame.number: frame.pixels() for frame in seen}
    whole = {n: number_of(p) for n, p in pixels.items() if p is not None}
    assert whole == {n: n for n in (1, 2, 3, 4, 6, 7, 8, 9)}


def test_a_folder_of_frames(tmp_path):
    for number in (1, 2, 10):
        (tmp_path / 'img1').mkdir(exist_ok=True)
        image = Image.fromarray(frame_pixels(number))
        image.save(tmp_path / 'img1' / f'cam3_{number}.png')
    frames = open_frames(tmp_path / 'img1')
    assert [frame.number for frame in frames] == [1, 2, 10]
    assert np.isnan([frame.time for frame in frames]).all()
    assert [number_of(frame.pixels()) for frame in frames] == [1, 2, 10]
    (tmp_path / 'seqinfo.ini').write_text('[Sequence]\nframeRate=20\n')
    times = [frame.time for frame in open_frames(tmp_path / 'img1')]
    np.testing.assert_allclose(times, [0, 0.05, 0.45])
    Image.fromarray(frame_pixels(0)).save(tmp_path / 'img1' / 'cam3_0.png')
    frames = open_frames(tmp_path / 'img1', fps=10)
    assert [frame.number for frame in frames] == [1, 2, 3, 11]
    assert frames.count() == 11
    Image.fromarray(frame_pixels(0)).save(tmp_path / 'img1' / 'cam4_2.png')
    with pytest.raises(ValueError, match=r'cam3_2.png and .*cam4_2.png are both frame'):
        open_frames(tmp_path / 'img1')
    (tmp_path / 'img1' / 'cam4_2.png').rename(tmp_path / 'img1' / 'last.png')
    with pytest.raises(ValueError, match=r'last.png: its name has no number'):
        open_frames(tmp_path / 'img1')


def test_what_is_no_video(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'video .*a.mp4 does not exist'):
        open_frames(tmp_path / 'a.mp4')
    (tmp_path / 'a.mp4').write_bytes(b'no video')
    with pytest.raises(ValueError, match=r'a.mp4 cannot be read as a video'):
        open_frames(tmp_path / 'a.mp4')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'empty holds no frame'):
        open_frames(tmp_path / 'empty')
