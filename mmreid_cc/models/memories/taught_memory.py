"""The base class of memories that also learn from a teacher."""

from abc import abstractmethod
from typing import NoReturn

from torch import Tensor

from .base_memory import BaseMemory


class TaughtMemory(BaseMemory):
    """Base class of memories that learn from a teacher, too.

    A subclass computes the loss in :meth:`contrast_taught`. If it also extends another
    memory, name this class first, so that the memory refuses to work without a teacher.
    The loss of the other memory alone is then called by its class, e.g.
    ``ClusterMemory.contrast(self, queries, slots)``.

    Examples:
        .. code:: python

            @MODELS.register_module()
            class DistilledMemory(TaughtMemory, ClusterMemory):
                def contrast_taught(self, queries, slots, taught):
                    return (1 - (queries * taught[0]).sum(dim=1)).mean()
    """

    def contrast(self, queries: Tensor, slots: Tensor) -> NoReturn:
        """Refuse to work without a teacher.

        Args:
            queries (Tensor): As in :meth:`BaseMemory.contrast`.
            slots (Tensor): As in :meth:`BaseMemory.contrast`.

        Raises:
            ValueError: Always; it says how to add a teacher.
        """
        raise ValueError(
            f'{type(self).__name__} learns from a teacher, and there is none. Set '
            '`model.type` to "TaughtClassifier", and add '
            '`custom_hooks=[dict(type="TeacherHook")]`.'
        )

    @abstractmethod
    def contrast_taught(
        self, queries: Tensor, slots: Tensor, taught: Tensor
    ) -> Tensor | dict[str, Tensor]:
        """Compute the loss of queries from the memory and from a teacher.

        Args:
            queries (Tensor): As in :meth:`BaseMemory.contrast`.
            slots (Tensor): As in :meth:`BaseMemory.contrast`.
            taught (Tensor): Embeddings by the teacher of V views of the batch, see
                :class:`TaughtClassifier`; L2-normalised, shape (V, B, D), without
                gradient.

        Returns:
            Tensor | dict[str, Tensor]: As :meth:`BaseMemory.contrast`.
        """
