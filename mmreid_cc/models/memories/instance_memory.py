"""A memory of one vector per image, as in methods before Cluster Contrast."""

import torch
from torch import Tensor

from mmreid_cc.registry import MODELS

from .base_memory import BaseMemory
from .checks import check_arguments, check_vectors
from .mean_contrast import contrast_means
from .vector_bank import VectorBank


@MODELS.register_module()
class InstanceMemory(BaseMemory):
    r"""Contrast queries with clusters, every image of which has its own vector.

    A cluster k with the images I_k is represented by the mean of their vectors,
    :math:`c_k = \frac{1}{|I_k|} \sum_{i \in I_k} v_i` (not normalised). The loss is
    :math:`-\log \mathrm{softmax}(q C^T / \tau)` at the query's own cluster, and in the
    backward pass a query moves the vector of its image: :math:`v \leftarrow m v + (1 -
    m) q`, normalised. In an epoch, the images of a small cluster move often, and those
    of a large one seldom. Cluster Contrast removes this inconsistency, and holds C
    vectors instead of N. This class is for ablations.

    Un-clustered images have no vector. See :class:`BaseMemory` for processes, precision
    and accumulated gradients.

    Args:
        momentum (float): m, the weight of the *old* vector, in [0, 1]. Defaults to 0.2.
        temperature (float): τ, positive. Defaults to 0.05.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Cluster Contrast (arXiv 2103.11568), figure 2b and section 3.2; it is the memory
        of SpCL (Ge et al., NeurIPS 2020), which is also the source of the momentum.

    Examples:
        .. code:: python

            model = dict(head=dict(memory=dict(_delete_=True, type='InstanceMemory')))
    """

    def __init__(self, momentum: float = 0.2, temperature: float = 0.05) -> None:
        check_arguments(momentum, temperature)
        super().__init__(instances=VectorBank(momentum))
        self.momentum = momentum
        self.temperature = temperature

    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory with the clustered images, see :meth:`BaseMemory.fill`."""
        self.reset(features[labels >= 0].to(device), labels)

    def reset(self, instances: Tensor, labels: Tensor) -> None:
        """Set the images of a clustering.

        Args:
            instances (Tensor): L2-normalised, shape (M, D), float, of the clustered
                images in the order of their indices; on the device of the embeddings to
                come.
            labels (Tensor): Cluster of every training image, −1 for none; shape (N,),
                int64, M of them not −1.

        Raises:
            ValueError: If there is no instance, or not one for each clustered image.
        """
        check_vectors('instance', instances, None)
        labels = labels.cpu()
        clustered = labels >= 0
        if clustered.sum() != len(instances):
            raise ValueError(
                f'{len(instances)} instances do not fit {clustered.sum().item()} '
                'clustered images.'
            )
        self.banks['instances'].reset(instances)
        self.labels = labels
        self.rows = clustered.cumsum(0) - 1  # of images in the bank
        self.clusters = labels[clustered].to(instances.device)
        self.sizes = self.clusters.bincount()

    def state(self) -> dict[str, Tensor]:
        """Return the arguments of :meth:`reset`."""
        return {'instances': self.centroids, 'labels': self.labels}

    def slots_of(self, indices: Tensor) -> Tensor:
        """Look up the vectors of training images, see :meth:`BaseMemory.slots_of`."""
        super().slots_of(indices)
        return self.rows[indices]

    def contrast(self, queries: Tensor, slots: Tensor) -> Tensor:
        """Compute the mean cross entropy, see :meth:`BaseMemory.contrast`."""
        similarities = self.similarities('instances', queries, slots)
        return contrast_means(
            similarities, self.clusters, self.sizes, slots, self.temperature
        )

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f'momentum={self.momentum}, temperature={self.temperature}'
