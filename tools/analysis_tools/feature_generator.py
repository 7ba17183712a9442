"""A generator of features like those of a re-identification network."""

import numpy as np
from numpy.typing import NDArray

_ROWS_PER_BLOCK = 65536
_CAMERA_SHIFT = 0.3  # of a camera's mean, in standard deviations of the identities


def generate_features(
    n_images: int,
    dim: int = 256,
    *,
    images_per_identity: int = 20,
    n_cameras: int = 8,
    noise: float = 1.0,
    decay: float = 0.5,
    seed: int = 0,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
    """Draw identities, shifted by camera, with noise of unequal strength per image.

    Args:
        n_images: number of images N.
        dim: number of dimensions D.
        images_per_identity: mean number of images of an identity.
        n_cameras: number of cameras.
        noise: mean standard deviation of an image, in those of the identities. It
            varies between half and three halves of that. At 1 a fifth of the images
            stays un-clustered by DBSCAN (30,000 images, eps 0.6).
        decay: the standard deviation of dimension d falls as d^−decay. With 0 noise
            looks alike in all directions, the hardest case for an approximate search.
            The singular values of MobileNetV2 features of 3,858 pedestrian crops fall
            as rank^−0.50 (ranks 4 to 128).
        seed: the seed of the random numbers.

    Returns:
        Features (N, D), L2-normalised; identities (N,); cameras (N,).

    Example:
        >>> features, pids, cams = generate_features(1000, 64)
        >>> features.shape, len(np.unique(cams))
        ((1000, 64), 8)
    """
    rng = np.random.default_rng(seed)
    n_identities = max(1, n_images // images_per_identity)
    scale = np.arange(1, dim + 1, dtype=np.float32) ** -decay
    centres = scale * rng.standard_normal((n_identities, dim), dtype=np.float32)
    shifts = scale * rng.standard_normal((n_cameras, dim), dtype=np.float32)
    pids = rng.integers(0, n_identities, n_images)
    cams = rng.integers(0, n_cameras, n_images)
    features = np.empty((n_images, dim), dtype=np.float32)
    for first in range(0, n_images, _ROWS_PER_BLOCK):
        block = features[first : first + _ROWS_PER_BLOCK]
        rows = slice(first, first + len(block))
        strength = noise * (0.5 + rng.random((len(block), 1), dtype=np.float32))
        rng.standard_normal(dtype=np.float32, out=block)
        block *= strength * scale
        block += centres[pids[rows]] + _CAMERA_SHIFT * shifts[cams[rows]]
        block /= np.linalg.norm(block, axis=1, keepdims=True)
    return features, pids, cams
