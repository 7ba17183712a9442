"""From backbone features to an embedding, and its loss against the cluster memory."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmreid_cc.registry import MODELS


@MODELS.register_module()
class ClusterContrastHead(BaseModule):
    """BN neck, L2-normalised embedding, and a contrast with the cluster memory.

    It takes what backbones and necks of mmpretrain return: a tensor, or a tuple whose
    last tensor is used; (B, C), or a map (B, C, H, W), which is averaged. In
    ``mmpretrain.ImageClassifier`` the mode ``'tensor'`` gives the embeddings,
    ``'loss'`` the loss, and ``'predict'`` puts a ``feature`` on every data sample.

    Args:
        in_channels (int): C, the channels of backbone or neck.
        memory (dict): Config of the memory, e.g. of :class:`ClusterMemory`.
        embed_dim (int, optional): Size of a linear embedding before the BN neck.
            Defaults to None: no linear layer, the embedding has ``in_channels``.
        init_cfg (dict | list, optional): Initialisation. Defaults to None: Kaiming
            normal (fan out) for the linear layer, BN weight 1, bias 0.

    References:
        The BN neck with a frozen bias is from Luo et al., *Bag of Tricks and a Strong
        Baseline for Deep Person Re-identification* (CVPR workshops 2019), section 3.5.

    Examples:
        .. code:: python

            model = dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet', depth=50, strides=(1, 2, 2, 1)),
                neck=dict(type='GeneralizedMeanPooling', p=3),
                head=dict(
                    type='ClusterContrastHead', in_channels=2048,
                    memory=dict(type='ClusterMemory', momentum=0.1, temperature=0.05)))
    """

    def __init__(
        self,
        in_channels: int,
        memory: dict,
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
        self.memory = MODELS.build(memory)

    def pre_logits(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """The input of the head as vectors.

        Args:
            feats (Tensor | tuple[Tensor]): Of backbone or neck.

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
                '`features_only` of timm), of `model.head.in_channels` channels.'
            )
        raise ValueError(
            f'ClusterContrastHead expects features of shape (B, {self.in_channels}) or '
            f'(B, {self.in_channels}, H, W), got {shape} from the backbone or neck. '
            f'{advice}'
        )

    def forward(self, feats: Tensor | tuple[Tensor, ...]) -> Tensor:
        """The L2-normalised embeddings.

        Args:
            feats (Tensor | tuple[Tensor]): Of backbone or neck.

        Returns:
            Tensor: Shape (B, ``out_channels``).
        """
        return F.normalize(self.bn(self.fc(self.pre_logits(feats))))

    def loss(
        self, feats: Tensor | tuple[Tensor, ...], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """The contrast of a batch with the memory.

        The pseudo labels are looked up here by ``sample_idx``; whatever identity a data
        sample may carry is not read.

        Args:
            feats (Tensor | tuple[Tensor]): Of backbone or neck.
            data_samples (list[DataSample]): With ``sample_idx``.

        Returns:
            dict[str, Tensor]: ``loss``, a scalar.

        Raises:
            ValueError: If an image of the batch belongs to no cluster.
        """
        indices = torch.tensor([sample.sample_idx for sample in data_samples])
        labels = self.memory.labels_of(indices)
        if (labels < 0).any():
            raise ValueError(
                f'Images {indices[labels < 0].tolist()} belong to no cluster. Draw '
                'batches by pseudo label, e.g. by RandomMultipleGallerySampler.'
            )
        return {'loss': self.memory(self(feats), labels)}

    def predict(
        self,
        feats: Tensor | tuple[Tensor, ...],
        data_samples: list[DataSample] | None = None,
    ) -> list[DataSample]:
        """Put the embeddings on data samples.

        Args:
            feats (Tensor | tuple[Tensor]): Of backbone or neck.
            data_samples (list[DataSample], optional): Defaults to None: new ones.

        Returns:
            list[DataSample]: Each with ``feature``, shape (``out_channels``,).
        """
        embeddings = self(feats)
        if data_samples is None:
            data_samples = [DataSample() for _ in embeddings]
        for sample, embedding in zip(data_samples, embeddings, strict=True):
            # A copy: a view would drag its whole batch along when it is kept.
            sample.set_field(embedding.clone(), 'feature', dtype=torch.Tensor)
        return data_samples
