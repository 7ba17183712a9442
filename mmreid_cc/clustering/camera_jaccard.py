"""Jaccard distance of neighbourhoods in which every camera has a share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .camera_neighbors import camera_neighbors
from .camera_normalization import as_cameras
from .input_checks import as_large_features, check_count, check_normalized
from .jaccard import check_distance, jaccard_of_sets
from .parallel import row_pointers


@dataclass(frozen=True)
class CameraSizes:
    """Sizes of the lists of :func:`camera_jaccard_distance`.

    Args:
        k1_intra (int): Neighbours in the own camera, the image itself included, as
            everywhere in this package. Defaults to 6, the paper's 5 beside the image.
        k1_inter (int): Neighbours in the other cameras. Defaults to 20, the paper's
            (its public code takes one more).
        k2_intra (int): Rows of the own camera averaged by query expansion, the image's
            own included, in 1…k1_intra. Defaults to 2 (the public code takes 3 in the
            first epoch, and says that 3 and 3 are sometimes better).
        k2_inter (int): Rows of other cameras averaged, in 1…k1_inter. Defaults to 4
            (3 in the first epoch there).

    Raises:
        ValueError: If one is out of its range.

    Example:
        >>> CameraSizes(k1_inter=10)
        CameraSizes(k1_intra=6, k1_inter=10, k2_intra=2, k2_inter=4)
    """

    k1_intra: int = 6
    k1_inter: int = 20
    k2_intra: int = 2
    k2_inter: int = 4

    def __post_init__(self) -> None:
        check_count('k1_intra', self.k1_intra)
        check_count('k1_inter', self.k1_inter)
        check_count('k2_intra', self.k2_intra, maximum=self.k1_intra)
        check_count('k2_inter', self.k2_inter, maximum=self.k1_inter)


DEFAULT_SIZES = CameraSizes()


def camera_jaccard_distance(
    features: Any,
    cam_ids: Any,
    sizes: CameraSizes = DEFAULT_SIZES,
    *,
    max_distance: float = 1.0,
) -> csr_array:
    """Compute the camera-aware Jaccard distance, exact and sparse.

    In plain lists of neighbours images of the own camera crowd out those of others.
    Here every image has two lists, one of its own camera and one of all others:

    - R(i) holds the members of both lists of i that have i in the list in which i may
      stand, the intra-camera one for the own camera, else the inter-camera one. It is
      not expanded.
    - V(i) are weights exp(−‖i − j‖²) on R(i), with the sum 1, as in
      :func:`mmreid_cc.clustering.jaccard_distance`.
    - V(i) is then replaced by the mean of V over the ``k2_intra`` first images of the
      one list and the ``k2_inter`` first of the other.

    Apart from the search, time and memory grow with N·k², never with N².

    Args:
        features (array): (N, D) floating, rows L2-normalised.
        cam_ids (array): (N,) integers, the camera of each image. Images of unknown
            camera, which share a number, count as those of one more camera.
        sizes (CameraSizes): Sizes of the lists. Defaults to the paper's.
        max_distance (float): In (0, 1]; only pairs up to this distance are stored.
            Defaults to 1.0.

    Returns:
        csr_array: As :func:`mmreid_cc.clustering.jaccard_distance` returns it.

    Raises:
        TypeError: If features are not floating or cameras not integers.
        ValueError: If an array has another shape, the features are not finite or not
            normalised, all images are of one camera, or a number is out of its range.

    Source: Chen et al., CA-Jaccard: Camera-aware Jaccard Distance for Person
    Re-identification, CVPR 2024 (arXiv 2311.10605), sections 3.2 and 3.3.

    Example:
        >>> features = np.float32([[1, 0], [1, 0], [0, 1], [0, 1]])
        >>> sizes = CameraSizes(k1_intra=1, k1_inter=1, k2_intra=1, k2_inter=1)
        >>> camera_jaccard_distance(features, [1, 2, 1, 2], sizes).toarray()[:2, :2]
        array([[0., 0.],
               [0., 0.]], dtype=float32)
    """
    features = as_large_features(features)
    check_normalized(features)
    cam_ids = as_cameras(cam_ids, len(features))
    check_distance(max_distance)
    if len(np.unique(cam_ids)) == 1:
        raise ValueError(
            f'All {len(features)} images are of the camera {cam_ids[0]}: none has '
            'neighbours in other cameras. Use the plain Jaccard distance: leave '
            '`cameras` of the clusterer out.'
        )
    intra, inter = camera_neighbors(features, cam_ids, sizes.k1_intra, sizes.k1_inter)
    members = _mutual(intra) + _mutual(inter)  # no pair is in both
    members.sort_indices()
    nearest = np.concatenate(
        [intra[:, : sizes.k2_intra], inter[:, : sizes.k2_inter]], axis=1
    )
    return jaccard_of_sets(
        features, members.indptr, members.indices, nearest, max_distance
    )


def _mutual(neighbors: np.ndarray) -> csr_array:
    """Mark the pairs that are in each other's lists, whose end is filled by −1."""
    listed = neighbors >= 0
    indptr = row_pointers(listed.sum(axis=1))
    ones = np.ones(indptr[-1], dtype=np.int8)
    matrix = csr_array(
        (ones, neighbors[listed], indptr), shape=(len(neighbors), len(neighbors))
    )
    return csr_array(matrix.multiply(matrix.T))
