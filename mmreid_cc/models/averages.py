"""Averages of the weights of a network."""

import torch
from mmengine.model import MomentumAnnealingEMA
from torch import nn

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class TeacherAverage(MomentumAnnealingEMA):
    r"""An average of weights that keeps batch norm statistics of its own.

    After step t the weights θ of the network enter the average by
    :math:`\bar\theta \leftarrow (1 - a) \bar\theta + a\,\theta` with
    :math:`a = \max(m, \frac{1}{1 + t})`: until 1 / m steps it is the mean of all
    weights so far. MMEngine's averages copy the batch norm statistics of the network,
    or average them; those of a teacher come from the batches that it sees.

    Args:
        model (nn.Module): The network.
        momentum (float): m, the weight of the *new* weights, in (0, 1). Defaults to
            0.001.
        interval (int): Steps between two updates. Defaults to 1.
        device (torch.device, optional): Defaults to None: that of the network.

    References:
        Tarvainen and Valpola, *Mean teachers are better role models* (NeurIPS 2017);
        the larger weights at the beginning are those of the public code of MMT (Ge et
        al., ICLR 2020).

    Example:
        >>> average = TeacherAverage(network, momentum=0.001)
        >>> average.update_parameters(network)
    """

    def __init__(
        self,
        model: nn.Module,
        momentum: float = 0.001,
        interval: int = 1,
        device: torch.device | None = None,
    ) -> None:
        # With `update_buffers` MMEngine leaves buffers alone that are not averaged, and
        # exchanges them with the weights for a validation.
        super().__init__(model, momentum, 1, interval, device, update_buffers=True)
        self.avg_parameters = dict(self.module.named_parameters())
