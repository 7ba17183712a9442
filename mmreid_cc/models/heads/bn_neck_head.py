"""The base of the re-ID heads: from backbone features to an embedding."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from ..batch_norm_groups import BatchNormGroups


class BNNeckHead(BaseModule):
    """BN neck and L2-normalised embedding; a subclass adds the loss.

    It takes what backbones and necks of mmpretrain return: a tensor, or a tuple whose
    last tensor is used; (B, C), or a map (B, C, H, W), which is averaged. In
    ``mmpretrain.ImageClassifier`` the mode ``'tensor'`` gives the embeddings, and
    ``'predict'`` puts a ``feature`` on every data sample. The layers, ``fc`` and
    ``bn``, have the same names in all heads, so that weights pass from one to another.

    Args:
        in_channels (int): C, the channels of backbone or neck.
        embed_dim (int, optional): Size of a linear embedding before the BN neck.
            Defaults to None: no linear layer, the embedding has ``in_channels``.
        init_cfg (dict | list, optional): Initialisation. Defaults to None: Kaiming
            normal (fan out) for the linear layer, BN weight 1, bias 0.

    References:
        The BN neck with a frozen bias is from Luo et al., *Bag of Tricks and a Strong
        Baseline for Deep Person Re-identification* (CVPR workshops 2019), section 3.5.

    Example:
        >>> BNNeckHead(2048).eval()(torch.randn(4, 2048, 16, 8)).shape
        torch.Size([4, 2048])
    """

    batch_norm_groups: BatchNormGroups | None = None  # set by `group_batch_norm`

    def __init__(
        self,
        in_channels: int,
        embed_dim: int | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = embed_dim or in_channels
        self.fc: nn.Module = nn.Identity()
        if embed_dim:
            self.fc = nn.Linear(in_channels, embed_dim)
            nn.init.kaiming_normal_(self.fc.weight, mode='fan_out')
            nn.init.zeros_(self.fc.bias)
        self.bn = nn.BatchNorm1d(self.out_channels)
        self.bn.bias.requires_grad_(False)

    def pre_logits(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Return the input of the head as vectors.

        Args:
            feats (Tensor | tuple[Tensor]): Outputs of backbone or neck.

        Returns:
            Tensor: Shape (B, C).

        Raises:
            ValueError: If the features are tokens, or have other channels than
                ``in_channels``.
        """
        feat = feats[-1] if isinstance(feats, (tuple, list)) else feats
        shape = tuple(feat.shape) if isinstance(feat, Tensor) else type(feat).__name__
        if isinstance(feat, Tensor) and feat.ndim in (2, 4):
            vectors = feat.mean(dim=(2, 3)) if feat.ndim == 4 else feat
            if vectors.shape[1] == self.in_channels:
                return vectors
            advice = f'Set `model.head.in_channels` to {vectors.shape[1]}.'
        else:
            advice = (
                'Let the backbone return a map or one vector (`out_type` of a ViT, '
                '`PooledTIMMBackbone`), of `model.head.in_channels` channels.'
            )
        raise ValueError(
            f'{type(self).__name__} expects features of shape (B, {self.in_channels}) '
            f'or (B, {self.in_channels}, H, W), got {shape} from the backbone or neck. '
            f'{advice}'
        )

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """Compute the L2-normalised embeddings.

        Args:
            feats (Tensor | tuple[Tensor]): Outputs of backbone or neck.

        Returns:
            Tensor: Shape (B, ``out_channels``).
        """
        return F.normalize(self.batch_norm(self.fc(self.pre_logits(feats))))

    def batch_norm(self, vectors: Tensor) -> Tensor:
        """The BN neck, in training group by group where the network has groups.

        Args:
            vectors (Tensor): Shape (B, ``out_channels``).

        Returns:
            Tensor: The same shape.
        """
        if self.training and self.batch_norm_groups is not None:
            return self.batch_norm_groups(self.bn, vectors)
        return self.bn(vectors)

    def predict(
        self,
        feats: Tensor | tuple[Tensor, ...],
        data_samples: list[DataSample] | None = None,
    ) -> list[DataSample]:
        """Store the embeddings in data samples.

        Args:
            feats (Tensor | tuple[Tensor]): Outputs of backbone or neck.
            data_samples (list[DataSample], optional): Defaults to None: new ones.

        Returns:
            list[DataSample]: Each with ``feature``, shape (``out_channels``,), on the
            CPU.
        """
        # One copy from the device. Each row then gets memory of its own: a view that is
        # kept, or pickled, would keep its whole batch in memory.
        embeddings = self(feats).cpu()
        if data_samples is None:
            data_samples = [DataSample() for _ in embeddings]
        for sample, embedding in zip(data_samples, embeddings, strict=True):
            sample.set_field(embedding.clone(), 'feature', dtype=torch.Tensor)
        return data_samples
