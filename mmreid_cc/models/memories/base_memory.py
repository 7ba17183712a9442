"""The base class of memories, which look up, save and restore vectors."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
import torch.nn.functional as F
from mmengine.dist import get_world_size
from torch import Tensor, nn

from mmreid_cc.clustering.full_precision import full_precision

from .vector_bank import VectorBank

HOW_TO_FILL = (
    'ClusterMemoryHook fills it before an epoch: add it to the config, or call '
    '`reset(centroids, labels)`.'
)


class BaseMemory(nn.Module, ABC):
    """Base class of memories, which hold the vectors that queries are contrasted with.

    A subclass defines which vectors are held (:meth:`fill`, :meth:`reset`,
    :meth:`state`), which vector belongs to an image (:meth:`slots_of`, unless it is
    that of its cluster), and the loss (:meth:`contrast`). The rest is the same for all
    memories. Vectors are created again after every clustering, so they are not in the
    ``state_dict``. Vectors and loss are float32, also under AMP (float64 for float64
    vectors). :class:`VectorBank` moves the vectors in the backward pass.

    Args:
        **banks (VectorBank): Banks of vectors, by name. :attr:`centroids` returns the
            vectors of the first bank.

    Attributes:
        labels (Tensor): Cluster of every training image, −1 for none; shape (N,),
            int64, on the CPU. Empty before :meth:`reset`.
        batches_per_update (int): With accumulated gradients, the number of batches that
            are contrasted with the same vectors before these move, as if they were one
            batch. :class:`ClusterMemoryHook` sets it.
        progress (float): The share of the training that is done, in [0, 1);
            :class:`ClusterMemoryHook` sets it.
        epoch (int): The number of the epoch, from 0 on; :class:`ClusterMemoryHook` sets
            it.
        sources (Tensor): Whether an image is from a labelled source, shape (N,), bool;
            empty if none is. :class:`ClusterMemoryHook` sets it.
        step_slots (Tensor | None): In a distributed run, the slots of all processes in
            these batches, where they are known; :class:`StepSlotsHook` sets it.

    Examples:
        :class:`ClusterMemory` with another loss:

        .. code:: python

            @MODELS.register_module()
            class SmoothMemory(ClusterMemory):
                def contrast(self, queries, slots):
                    logits = self.similarities('centroids', queries, slots) / 0.05
                    target = slots.to(queries.device)
                    return F.cross_entropy(logits, target, label_smoothing=0.1)
    """

    reset: Callable[..., None]  # each memory with arguments of its own
    LEARNS_UNCLUSTERED = False  # whether un-clustered images belong to vectors, too
    LASTS = False  # whether `features` are clustered, once the memory is filled

    def __init__(self, **banks: VectorBank) -> None:
        super().__init__()
        # No buffers: their size changes, which averaged models and DDP do not expect.
        self.banks = banks
        # On the CPU, like the indices, so that a GPU is not waited for.
        self.labels = torch.empty(0, dtype=torch.long)
        self.batches_per_update = 1
        self.progress = 0.0
        self.epoch = 0
        self.sources = torch.empty(0, dtype=torch.bool)
        self.step_slots: Tensor | None = None

    @abstractmethod
    def fill(
        self, features: Tensor, labels: Tensor, cam_ids: Tensor, device: torch.device
    ) -> None:
        """Fill the memory from a clustering.

        Args:
            features (Tensor): Features of all training images, L2-normalised, shape (N,
                D), on the CPU; the same in all processes, like the other arguments.
            labels (Tensor): Their clusters, 0…C−1 without a gap, −1 for none; shape
                (N,), int64, on the CPU.
            cam_ids (Tensor): Their cameras, shape (N,), int64.
            device (torch.device): Device of the embeddings to come.
        """

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """Return the arguments of ``reset`` that would restore the present memory."""

    @abstractmethod
    def contrast(self, queries: Tensor, slots: Tensor) -> Tensor | dict[str, Tensor]:
        """Compute the loss of queries.

        Args:
            queries (Tensor): L2-normalised, shape (B, D), of the vectors' dtype.
            slots (Tensor): Slots from :meth:`slots_of`.

        Returns:
            Tensor | dict[str, Tensor]: A scalar; or several, as ``loss_…``, whose sum
            is minimised.
        """

    def contrast_taught(
        self, queries: Tensor, slots: Tensor, taught: Tensor
    ) -> Tensor | dict[str, Tensor]:
        """Refuse a teacher; a :class:`TaughtMemory` learns from one.

        Args:
            queries (Tensor): As in :meth:`contrast`.
            slots (Tensor): As in :meth:`contrast`.
            taught (Tensor): Embeddings by the teacher, shape (V, B, D).

        Raises:
            ValueError: Always; it says what to change.
        """
        raise ValueError(
            f'{type(self).__name__} cannot learn from a teacher. Use another '
            '`model.head.memory`, e.g. "MeanTeacherMemory", or remove '
            '`model.type="TaughtClassifier"` and TeacherHook.'
        )

    @property
    def centroids(self) -> Tensor:
        """The vectors of the first bank, shape (C, D); (0, 0) before ``reset``."""
        return next(iter(self.banks.values())).vectors

    @property
    def features(self) -> Tensor | None:
        """The vectors of all images in a memory that ``LASTS``, to be clustered next.

        L2-normalised, shape (N, D), on the CPU; None before it is filled.
        """
        return None

    def clustered(self, features: Tensor) -> Tensor:
        """Return the part of the features that is clustered.

        Args:
            features (Tensor): Features of all training images, shape (N, D).

        Returns:
            Tensor: L2-normalised, shape (N, …); by default the features.
        """
        return features

    @property
    def nbytes(self) -> int:
        """The size of all vectors in bytes."""
        return sum(bank.vectors.nbytes for bank in self.banks.values())

    def similarities(self, name: str, queries: Tensor, slots: Tensor) -> Tensor:
        """Compare queries with the vectors of a bank, see :class:`VectorBank`.

        Args:
            name (str): The name of the bank.
            queries (Tensor): L2-normalised, shape (B, D), of the vectors' dtype; the
                views of an image, if there are several, one after the other.
            slots (Tensor): The slots that :meth:`slots_of` returns.

        Returns:
            Tensor: Inner products, shape (B, S).
        """
        step_slots = self.step_slots
        if step_slots is not None:  # of images, each of which may have several views
            count = len(slots) * self.batches_per_update * get_world_size()
            step_slots = step_slots.repeat_interleave(count // len(step_slots))
        return self.banks[name].similarities(
            queries, slots, self.batches_per_update, step_slots
        )

    def slots_of(self, indices: Tensor) -> Tensor:
        """Look up the vectors that training images belong to: those of their clusters.

        Args:
            indices (Tensor): Their ``sample_idx``, shape (B,), int64, on the CPU.

        Returns:
            Tensor: Shape (B,), int64, on the CPU.

        Raises:
            RuntimeError: If the memory has no labels.
            ValueError: If an image belongs to no cluster.
        """
        self.check_labels()
        labels = self.labels[indices]
        if (labels < 0).any():
            raise ValueError(
                f'Images {indices[labels < 0].tolist()} belong to no cluster. Draw '
                'batches by pseudo label, e.g. by RandomMultipleGallerySampler.'
            )
        return labels

    def check_labels(self) -> None:
        """Check that images can be looked up.

        Raises:
            RuntimeError: If the memory has no labels.
        """
        if len(self.labels) == 0:
            raise RuntimeError(f'The memory has no labels. {HOW_TO_FILL}')

    def forward(
        self, embeddings: Tensor, slots: Tensor, taught: Tensor | None = None
    ) -> Tensor | dict[str, Tensor]:
        """Compute the loss of a batch, whose backward pass moves the vectors.

        Args:
            embeddings (Tensor): Queries, shape (B, D); they are normalised here.
            slots (Tensor): The vectors they belong to, shape (B,), int64: for
                :class:`ClusterMemory` their clusters. Keep them on the CPU, so that the
                program does not wait for a GPU.
            taught (Tensor, optional): Embeddings of a teacher, shape (V, B, D).
                Defaults to None.

        Returns:
            Tensor | dict[str, Tensor]: A scalar, or several by name.

        Raises:
            RuntimeError: If the memory was not reset yet.
            ValueError: If the memory needs a teacher and there is none, or the other
                way round.
        """
        if len(self.centroids) == 0:
            raise RuntimeError(f'The memory is empty. {HOW_TO_FILL}')
        with full_precision(embeddings.device.type):
            queries = F.normalize(embeddings.to(self.centroids.dtype))
            if taught is None:
                return self.contrast(queries, slots)
            taught = F.normalize(taught.to(queries.dtype), dim=2)
            return self.contrast_taught(queries, slots, taught)

    def snapshot(self) -> dict[str, Tensor]:
        """Return what a checkpoint needs in the middle of an epoch.

        Returns:
            dict[str, Tensor]: The tensors of :meth:`state`, on the CPU.

        Raises:
            RuntimeError: If queries wait for the rest of their batch, whose gradients
                no checkpoint holds.
        """
        waiting = max(len(bank.pending) for bank in self.banks.values())
        if waiting:
            raise RuntimeError(
                f'Gradients of {waiting} of {self.batches_per_update} accumulated '
                'batches would be lost in a checkpoint here. Make '
                '`default_hooks.checkpoint.interval` a multiple of '
                '`optim_wrapper.accumulative_counts`.'
            )
        return {name: tensor.cpu() for name, tensor in self.state().items()}

    def restore(self, snapshot: dict[str, Tensor]) -> None:
        """Restore what :meth:`snapshot` returned.

        Args:
            snapshot (dict[str, Tensor]): On the device of the embeddings to come.

        Raises:
            ValueError: If ``reset`` refuses the tensors.
        """
        self.reset(**snapshot)
