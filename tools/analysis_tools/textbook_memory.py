"""The cluster memory as the paper writes it, in loops, to compare ours with.

Source: Dai et al., Cluster Contrast (arXiv 2103.11568), equations 2 to 4.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def momentum_loop(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """Let each query move its centroid, one after the other, in place.

    Args:
        centroids: (C, D), L2-normalised.
        queries: (B, D), L2-normalised.
        labels: (B,) int64.
        momentum: weight of the old centroid.
    """
    # Public code holds the momentum in a float32 tensor; 1 − m differs in float64.
    old = torch.tensor(momentum)
    for query, label in zip(queries, labels.tolist(), strict=True):
        centroids[label] = old * centroids[label] + (1 - old) * query
        centroids[label] /= centroids[label].norm()


def hard_loop(
    centroids: Tensor, queries: Tensor, labels: Tensor, momentum: float
) -> None:
    """Let the least similar query of each cluster move its centroid, in place.

    Arguments are those of :func:`momentum_loop`.
    """
    members: dict[int, list[Tensor]] = {}
    for query, label in zip(queries, labels.tolist(), strict=True):
        members.setdefault(label, []).append(query)
    for label, own in members.items():
        similarities = [(query @ centroids[label]).item() for query in own]
        hardest = own[int(np.argmin(similarities))]
        momentum_loop(centroids, hardest[None], torch.tensor([label]), momentum)


def centroid_loop(
    features: NDArray[np.float32], labels: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Collect the features of each cluster in a list, and average each list.

    Args:
        features: (N, D), L2-normalised.
        labels: (N,), −1 is un-clustered.

    Returns:
        (C, D) centroids, L2-normalised.
    """
    members: dict[int, list[NDArray[np.float32]]] = {}
    for feature, label in zip(features, labels.tolist(), strict=True):
        if label >= 0:
            members.setdefault(label, []).append(feature)
    means = np.stack([np.mean(members[label], axis=0) for label in sorted(members)])
    return means / np.linalg.norm(means, axis=1, keepdims=True)
