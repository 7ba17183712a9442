"""Videos of some frames whose colour is their number."""

from fractions import Fraction

import av
import numpy as np

WIDTH, HEIGHT = 96, 64


def frame_pixels(number):
    """(H, W, 3) RGB: the grey 10 · number, but for a white square at the upper left."""
    pixels = np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)
    pixels[:16, :16] = 255
    return pixels


def number_of(pixels):
    """The number of the frame that pixels were cut from."""
    return round(float(np.median(pixels)) / 10)


def write_video(path, count, codec='mpeg4', pixel_format='yuv420p', times=None):
    """Frames from 1 on, 10 a second or at given times (milliseconds)."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(1, count + 1):
            frame = av.VideoFrame.from_ndarray(frame_pixels(number), format='rgb24')
            frame.pts = times[number - 1] if times else 100 * (number - 1)
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame.reformat(format=pixel_format)))
        container.mux(stream.encode(None))
    return path


def turn(path):
    """Write into an MP4 file that it is to be turned by 90° clockwise, as phones do."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b'tkhd') + 4 + 40
    one = 1 << 16
    values = [0, one, 0, -one, 0, 0, HEIGHT * one, 0, 1 << 30]
    content[matrix : matrix + 36] = b''.join(
        value.to_bytes(4, 'big', signed=True) for value in values
    )
    path.write_bytes(content)
