"""mAP and CMC@1 for each pair of a query camera and a gallery camera."""

import numpy as np

from .protocol import distance_and_protocol
from .query_ranks import rank_queries


def camera_pair_metrics(
    query_features: np.ndarray,
    gallery_features: np.ndarray,
    query_pids: np.ndarray,
    gallery_pids: np.ndarray,
    query_cams: np.ndarray,
    gallery_cams: np.ndarray,
    *,
    exclude_same_camera: bool = True,
) -> dict[str, float]:
    """Score the queries of each camera in the gallery of each camera.

    The mean hides a camera that is hard to match with another one; these values show
    it. The arguments, which are NumPy arrays here, and the definitions are those of
    :func:`ranking_metrics`.

    Returns:
        dict[str, float]: ``mAP_c1_c2`` and ``CMC@1_c1_c2``, fractions in [0, 1]: the
        queries of camera 1 in the gallery of camera 2. Pairs without a match are left
        out.

    Raises:
        ValueError: As :func:`ranking_metrics`, except that matches may be missing.

    Example:
        >>> features, pids = np.eye(2), np.array([0, 1])
        >>> cams = np.array([1, 1]), np.array([2, 3])
        >>> camera_pair_metrics(features, features, pids, pids, *cams)
        {'mAP_c1_c2': 1.0, 'CMC@1_c1_c2': 1.0, 'mAP_c1_c3': 1.0, 'CMC@1_c1_c3': 1.0}
    """
    metrics: dict[str, float] = {}
    for query_cam in np.unique(query_cams):
        for gallery_cam in np.unique(gallery_cams):
            query, gallery = query_cams == query_cam, gallery_cams == gallery_cam
            arranged = distance_and_protocol(
                query_features[query],
                gallery_features[gallery],
                query_pids[query],
                gallery_pids[gallery],
                query_cams[query],
                gallery_cams[gallery],
                exclude_same_camera=exclude_same_camera,
            )
            ranks = rank_queries(*arranged)
            if ranks.matched.any():
                means = ranks.means(topk=(1,))
                pair = f'c{query_cam}_c{gallery_cam}'
                metrics[f'mAP_{pair}'] = means['mAP']
                metrics[f'CMC@1_{pair}'] = means['CMC@1']
    return metrics
