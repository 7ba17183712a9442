"""The memory of SpCL: source classes, clusters and un-clustered images."""

import torch
from torch import Tensor

from mmreid_cc.clustering import cluster_centroids
from mmreid_cc.registry import MODELS

from .base_memory import BaseMemory
from .checks import check_arguments, check_vectors
from .mean_contrast import contrast_means
from .vector_bank import VectorBank


@MODELS.register_module()
class HybridMemory(BaseMemory):
    r"""Contrast queries with source classes, clusters and un-clustered images.

    Every image that is clustered has a vector v, and every class of a labelled source
    (:class:`AdaptationReID`) has a vector w. A query q is contrasted with all classes
    w, with all clusters, each the mean of the vectors of its images,
    :math:`c_k = \frac{1}{|I_k|} \sum_{i \in I_k} v_i` (not normalised), and with the
    vectors of all un-clustered images:

    .. math::

        -\log \frac{\exp(q \cdot z^+ / \tau)}{\sum_w \exp(q \cdot w / \tau) +
        \sum_k \exp(q \cdot c_k / \tau) + \sum_{v \text{ un-clustered}}
        \exp(q \cdot v / \tau)}

    where :math:`z^+` is the one that q belongs to. In the backward pass a query moves
    the vector of its image, or of its source class: :math:`v \leftarrow m v + (1 - m)
    q`, normalised.

    The vectors last from epoch to epoch. Images are embedded once, before the first
    epoch; before every other epoch, the vectors are clustered. Use
    :class:`HybridSampler`, which draws un-clustered images, too, and
    :class:`SelfPacedDBSCAN`. See :class:`BaseMemory` for processes, precision and
    accumulated gradients.

    The loss is averaged over all images of a batch, where the public code adds the mean
    over those of the source and the mean over those of the target.

    Args:
        momentum (float): m, the weight of the *old* vector, in [0, 1]. Defaults to 0.2.
        temperature (float): τ, positive. Defaults to 0.05.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Ge et al., *Self-paced Contrastive Learning with Hybrid Memory for Domain
        Adaptive Object Re-ID* (NeurIPS 2020, arXiv 2006.02713), its unified contrastive
        loss.

    Examples:
        .. code:: python

            model = dict(head=dict(memory=dict(_delete_=True, type='HybridMemory')))
    """

    LEARNS_UNCLUSTERED = True
    LASTS = True

    def __init__(self, momentum: float = 0.2, temperature: float = 0.05) -> None:
        check_arguments(momentum, temperature)
        super().__init__(vectors=VectorBank(momentum))
        self.momentum = momentum
        self.temperature = temperature

    @property
    def features(self) -> Tensor | None:
        """The vectors of all images; for images of a source, those of their classes."""
        return self.centroids[self.rows].cpu() if len(self.centroids) else None

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory from a clustering, see :meth:`BaseMemory.fill`."""
        sources = self.sources if len(self.sources) else torch.zeros_like(labels).bool()
        vectors = features[~sources]
        if sources.any():
            classes = labels[sources] - labels[sources].min()
            centroids = torch.from_numpy(cluster_centroids(features[sources], classes))
            vectors = torch.cat([vectors, centroids])
        self.reset(vectors.to(device), labels, sources)

    def reset(self, vectors: Tensor, labels: Tensor, sources: Tensor) -> None:
        """Set the vectors of images and source classes.

        Args:
            vectors (Tensor): L2-normalised, shape (T + S, D), float, those of the T
                images of the target in the order of their indices, then those of the S
                source classes; on the device of the embeddings to come.
            labels (Tensor): Cluster of every image, −1 for none; of a source, C plus
                its class; shape (N,), int64.
            sources (Tensor): Whether an image is from a source, shape (N,), bool.

        Raises:
            ValueError: If there is no vector, or not one for each image and class.
        """
        check_vectors('vector', vectors, None)
        labels, sources = labels.cpu(), sources.cpu()
        target = labels[~sources]
        first = int(target.max()) + 1  # class of a source
        of_sources = torch.arange(first, int(labels.max()) + 1)
        if len(vectors) != len(target) + len(of_sources):
            raise ValueError(
                f'{len(vectors)} vectors do not fit {len(target)} images and '
                f'{len(of_sources)} classes of a source.'
            )
        self.banks['vectors'].reset(vectors)
        self.labels, self.sources = labels, sources
        self.rows = (~sources).cumsum(0) - 1  # of images in the bank
        self.rows[sources] = len(target) + labels[sources] - first
        classes = torch.cat([target, of_sources])
        alone = classes < 0
        classes[alone] = torch.arange(int(alone.sum())) + first + len(of_sources)
        self.classes = classes.to(vectors.device)  # of the rows of the bank
        self.sizes = self.classes.bincount()

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        state = {'vectors': self.centroids, 'labels': self.labels}
        return {**state, 'sources': self.sources}

    def slots_of(self, indices: Tensor) -> Tensor:
        """Look up vectors of images or classes, see :meth:`BaseMemory.slots_of`."""
        self.check_labels()
        return self.rows[indices]

    def contrast(self, queries: Tensor, slots: Tensor) -> Tensor:
        """Compute the mean cross entropy, see :meth:`BaseMemory.contrast`."""
        similarities = self.similarities('vectors', queries, slots)
        return contrast_means(
            similarities, self.classes, self.sizes, slots, self.temperature
        )

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f'momentum={self.momentum}, temperature={self.temperature}'
