"""Similarity in one unit for all cameras: standard deviations of different people."""

import numpy as np

from .camera_normalization import as_cameras

_PRIOR = 4  # images of all cameras that a camera's mean begins with


class StandardScores:
    """Turn features into vectors whose inner products are standard scores.

    The cosine of two people depends on their cameras and on how ordinary they look, so
    no single threshold fits all pairs. Standard scores of different people have mean 0
    and deviation 1, nearly so for any two cameras. They are found from features without
    labels, of which few pairs show the same person:

    1. The mean of its camera is subtracted from each feature, and it is normalised. The
       mean of a camera with few images is drawn towards that of all.
    2. Each is divided by the root of the deviation that its inner products with all
       others have.

    Args:
        features (np.ndarray): (N, D) float32, rows L2-normalised, of tracks or images.
        cam_ids (np.ndarray): (N,) integers, from 0.
        weights (np.ndarray, optional): (N,) positive, how much each counts: less, so
            that somebody who is seen all day is not what all others are compared with.
            Defaults to None: all alike.

    Source: normalisation by the scores of impostors on both sides is the s-norm of
    speaker verification (Kenny, Bayesian speaker verification with heavy-tailed priors,
    Odyssey 2010). Here it is the geometric mean of both sides, so that the score stays
    an inner product.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> features = rng.normal(size=(500, 64)).astype(np.float32)
        >>> features /= np.linalg.norm(features, axis=1, keepdims=True)
        >>> cam_ids = np.arange(500) % 2
        >>> vectors = StandardScores(features, cam_ids)(features, cam_ids)
        >>> bool(0.8 < (vectors[:250] @ vectors[250:].T).std() < 1.2)
        True
    """

    def __init__(
        self,
        features: np.ndarray,
        cam_ids: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> None:
        cam_ids = as_cameras(cam_ids, len(features))
        shares = np.ones(len(features)) if weights is None else weights
        weighted = (features * shares[:, None]).astype(np.float32)
        sums = np.zeros((int(cam_ids.max()) + 2, features.shape[1]))
        for camera in np.unique(cam_ids):
            sums[camera] = weighted[cam_ids == camera].sum(axis=0, dtype=np.float64)
        counts = np.bincount(cam_ids, shares, minlength=len(sums))[:, None]
        overall = sums.sum(axis=0) / counts.sum()
        # The last row serves cameras that are not among these.
        means = (sums + _PRIOR * overall) / (counts + _PRIOR)
        self.means = means.astype(np.float32)
        centered = self.centered(features, cam_ids)
        weighted = (centered * shares[:, None]).astype(np.float32)
        degrees = max(counts.sum() - 1, 1)
        self.spread = (centered.T @ weighted / degrees).astype(np.float32)

    def centered(self, features: np.ndarray, cam_ids: np.ndarray) -> np.ndarray:
        """Subtract the mean of their cameras from features, and normalise them.

        Args:
            features (np.ndarray): (M, D) float32, rows L2-normalised.
            cam_ids (np.ndarray): (M,) integers, from 0.

        Returns:
            np.ndarray: (M, D) float32; zeros for what does not differ from the mean.
        """
        rows = features - self.means[np.minimum(cam_ids, len(self.means) - 1)]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(norms < 1e-6, np.inf, norms)
        return rows

    def __call__(self, features: np.ndarray, cam_ids: np.ndarray) -> np.ndarray:
        """Return the vectors of features.

        Args:
            features (np.ndarray): (M, D) float32, rows L2-normalised.
            cam_ids (np.ndarray): (M,) integers, from 0.

        Returns:
            np.ndarray: (M, D) float32; inner products are standard scores.
        """
        rows = self.centered(features, cam_ids)
        rows /= np.sqrt(self.deviations(rows))[:, None]
        return rows

    def deviations(self, centered: np.ndarray) -> np.ndarray:
        """Return the standard deviation of the products with other features.

        Args:
            centered (np.ndarray): (M, D) float32, as of :meth:`centered`.

        Returns:
            np.ndarray: (M,) float32, positive.
        """
        variance = np.einsum('nd,nd->n', centered @ self.spread, centered)
        return np.sqrt(np.maximum(variance, 1e-12))
