"""A gallery as one .npz file, whose embeddings are memory-mapped."""

import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mmreid_cc.atomic_writing import replacing

EMBEDDINGS = 'embeddings'
ALIGNMENT = 64  # bytes, as NumPy aligns the data of an .npy file
PADDING_ID = 0xD935  # of the field that Android's zipalign pads with, too
LOCAL_HEADER = struct.Struct('<4s5H3I2H')  # before each file in a ZIP
ZIP64_FIELD = 20  # bytes that zipfile adds to a local header


def write_arrays(file: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays that ``numpy.load`` reads; ``embeddings`` can be memory-mapped.

    Args:
        file (str | os.PathLike): Path of any name; its folder is created. A program
            that reads it meanwhile finds the old file or the new one.
        arrays (Mapping[str, np.ndarray]): By name, without objects. ``embeddings`` are
            stored as they are and aligned, the others are compressed.

    Raises:
        ValueError: If an array holds Python objects.
        OSError: If it cannot be written. An existing file does not change.

    Example:
        >>> write_arrays('gallery.npz', dict(embeddings=np.eye(2, dtype=np.float32)))
    """
    with replacing(Path(file)) as part, part.open('wb') as stream:
        with zipfile.ZipFile(stream, 'w', allowZip64=True) as archive:
            for name, array in arrays.items():
                info = zipfile.ZipInfo(f'{name}.npy')
                if name == EMBEDDINGS:
                    info.extra = _padding(stream.tell(), info)
                else:
                    info.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info, 'w', force_zip64=True) as member:
                    np.lib.format.write_array(member, array, allow_pickle=False)
        stream.flush()
        os.fsync(stream.fileno())


def read_arrays(file: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote.

    Args:
        file (str | os.PathLike): Path of the file.

    Returns:
        dict[str, np.ndarray]: By name; ``embeddings`` is a ``numpy.memmap``, read-only.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is another file, or is incomplete.

    Example:
        >>> read_arrays('gallery.npz')['embeddings']
        memmap([[1., 0.],
                [0., 1.]], dtype=float32)
    """
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith('.npy')]
            arrays = {}
            for name in names:
                if name == f'{EMBEDDINGS}.npy':
                    arrays[EMBEDDINGS] = _mapped(file, archive.getinfo(name))
                else:
                    with archive.open(name) as member:
                        array = np.lib.format.read_array(member, allow_pickle=False)
                        arrays[name.removesuffix('.npy')] = array
            return arrays
    except OSError:
        raise
    except Exception as error:  # zipfile and NumPy raise many types on broken files
        raise ValueError(
            f'{file} cannot be read: it is not a gallery of this library, or is '
            f'incomplete ({type(error).__name__}: {error}). Build the gallery '
            'again.'
        ) from error


def _padding(start: int, info: zipfile.ZipInfo) -> bytes:
    """Return an extra field, which readers skip, after which the data are aligned."""
    header = LOCAL_HEADER.size + len(info.filename.encode()) + ZIP64_FIELD
    filler = -(start + header + 4) % ALIGNMENT
    return struct.pack('<HH', PADDING_ID, filler) + bytes(filler)


def _mapped(file: str | os.PathLike, info: zipfile.ZipInfo) -> np.ndarray:
    """Map an array that is stored uncompressed."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f'its {EMBEDDINGS} are compressed')
    with open(file, 'rb') as stream:
        stream.seek(info.header_offset)
        header = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
        stream.seek(header[-2] + header[-1], os.SEEK_CUR)  # the name and extra fields
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f'its {EMBEDDINGS} have the format {version}')
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype not in (np.float16, np.float32) or fortran_order or len(shape) != 2:
            raise ValueError(f'its {EMBEDDINGS} are {dtype} of shape {shape}')
        return np.memmap(file, dtype, 'r', stream.tell(), shape)
