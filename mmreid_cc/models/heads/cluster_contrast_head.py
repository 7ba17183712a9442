"""From backbone features to an embedding, and its loss against the cluster memory."""

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_cc.registry import MODELS

from .bn_neck_head import BNNeckHead


@MODELS.register_module()
class ClusterContrastHead(BNNeckHead):
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
        super().__init__(in_channels, embed_dim, init_cfg)
        self.memory = MODELS.build(memory)

    def loss(
        self,
        feats: Tensor | tuple[Tensor, ...],
        data_samples: list[DataSample],
        taught: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute the loss of a batch by the memory.

        The memory looks the images up by ``sample_idx``; whatever identity a data
        sample may carry is not read.

        Args:
            feats (Tensor | tuple[Tensor]): Outputs of backbone or neck.
            data_samples (list[DataSample]): Data samples with ``sample_idx``.
            taught (Tensor, optional): Embeddings of a teacher, see
                :class:`TaughtClassifier`; shape (V, B, D). Defaults to None.

        Returns:
            dict[str, Tensor]: ``loss``, a scalar; or the parts that the memory names,
            whose sum is minimised.

        Raises:
            ValueError: If an image of the batch belongs to no cluster.
        """
        indices = torch.tensor([sample.sample_idx for sample in data_samples])
        slots = self.memory.slots_of(indices)
        loss = self.memory(self(feats), slots, taught)
        return loss if isinstance(loss, dict) else {'loss': loss}
