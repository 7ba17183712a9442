"""The normalisation of IBN-Net: half by instance, half by batch."""

import torch
from mmcv.cnn import build_norm_layer
from torch import Tensor, nn


class InstanceBatchNorm(nn.Module):
    """Instance norm of the first half of the channels, batch norm of the others.

    What instance norm removes, colour cast and contrast, is what differs between
    cameras; the other half keeps what tells identities apart.

    Args:
        num_features (int): C, at least 2. An odd channel goes to batch norm.
        norm_cfg (dict, optional): Config of the second half. Defaults to None:
            ``dict(type='BN')``.

    References:
        Pan et al., *Two at Once: Enhancing Learning and Generalization Capacities via
        IBN-Net*, ECCV 2018 (the layer of IBN-a). The halves are named ``IN`` and
        ``BN``, as in the authors' weights.

    Examples:
        >>> InstanceBatchNorm(64)(torch.randn(2, 64, 16, 8)).shape
        torch.Size([2, 64, 16, 8])
    """

    def __init__(self, num_features: int, norm_cfg: dict | None = None) -> None:
        super().__init__()
        half = num_features // 2
        self.halves = (half, num_features - half)
        self.IN = nn.InstanceNorm2d(half, affine=True)
        _, self.BN = build_norm_layer(norm_cfg or dict(type='BN'), self.halves[1])

    def forward(self, x: Tensor) -> Tensor:
        """Normalise.

        Args:
            x (Tensor): Shape (B, C, H, W).

        Returns:
            Tensor: Shape (B, C, H, W).
        """
        first, second = x.split(self.halves, dim=1)
        return torch.cat((self.IN(first), self.BN(second)), dim=1)
