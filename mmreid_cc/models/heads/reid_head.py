"""Training with identities: the head of the strong supervised baseline."""

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from mmreid_cc.registry import MODELS

from ..losses import batch_hard_triplet_loss, gather_with_gradient
from .bn_neck_head import BNNeckHead


@MODELS.register_module()
class ReIDHead(BNNeckHead):
    r"""Identity loss behind a BN neck, triplet loss before it.

    A linear layer without bias classifies the output of the BN neck by identity, with
    smoothed labels: of C identities the true one has the weight
    :math:`1 - \varepsilon (C - 1) / C`, each other :math:`\varepsilon / C`. The input
    of the BN neck is trained by batch-hard triplets, from the batches of all processes
    together. For testing both are left away: the embedding is the L2-normalised output
    of the BN neck, as in :class:`ClusterContrastHead`, into which the weights load.

    Args:
        in_channels (int): C, the channels of backbone or neck.
        num_classes (int): Identities in the training set; a label is below it.
        label_smoothing (float): ε, in [0, 1). Defaults to 0.1.
        margin (float, optional): Margin of the triplets, by which a negative must be
            farther than a positive; None for the soft margin, :math:`\log(1 + e^x)`.
            Defaults to 0.3.
        embed_dim (int, optional): Size of a linear embedding before the BN neck.
            Defaults to None: no linear layer.
        init_cfg (dict | list, optional): Initialisation. Defaults to None: as
            :class:`BNNeckHead`, and a normal distribution of deviation 0.001 for the
            classifier.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Luo et al., *Bag of Tricks and a Strong Baseline for Deep Person
        Re-identification* (CVPR workshops 2019), sections 3.3 and 3.5, without centre
        loss. Batch-hard triplets: Hermans et al., arXiv 1703.07737, equation 5.

    Examples:
        .. code:: python

            model = dict(
                type='ImageClassifier',
                backbone=dict(type='ResNet', depth=50, strides=(1, 2, 2, 1)),
                neck=dict(type='GeneralizedMeanPooling', p=3),
                head=dict(type='ReIDHead', in_channels=2048, num_classes=751))
            train_dataloader = dict(
                dataset=dict(type='LabelledReID', dataset=dict(type='Market1501'), ...),
                sampler=dict(type='RandomIdentitySampler', ...))
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        label_smoothing: float = 0.1,
        margin: float | None = 0.3,
        embed_dim: int | None = None,
        init_cfg: dict | list | None = None,
    ) -> None:
        super().__init__(in_channels, embed_dim, init_cfg)
        if num_classes < 1:
            raise ValueError(
                f'ReIDHead: num_classes must be positive, not {num_classes}'
            )
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f'ReIDHead: label_smoothing must be in [0, 1), not {label_smoothing}'
            )
        if margin is not None and margin < 0:
            raise ValueError(
                'ReIDHead: margin must be ≥ 0, or None for the soft margin, not '
                f'{margin}'
            )
        self.num_classes = num_classes
        self.label_smoothing = label_smoothing
        self.margin = margin
        self.classifier = nn.Linear(self.out_channels, num_classes, bias=False)
        nn.init.normal_(self.classifier.weight, std=0.001)

    def loss(
        self, feats: Tensor | tuple[Tensor, ...], data_samples: list[DataSample]
    ) -> dict[str, Tensor]:
        """Compute both losses of a batch.

        Args:
            feats (Tensor | tuple[Tensor]): Outputs of backbone or neck.
            data_samples (list[DataSample]): Data samples with ``gt_label``,
                0…``num_classes`` − 1.

        Returns:
            dict[str, Tensor]: ``loss_identity`` and ``loss_triplet``, scalars, whose
            sum is minimised.

        Raises:
            ValueError: If an image has no label, or one beyond ``num_classes``.
        """
        vectors = self.fc(self.pre_logits(feats))
        labels = self._labels(data_samples).to(vectors.device)
        logits = self.classifier(self.batch_norm(vectors)).float()
        identity = F.cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        triplet = batch_hard_triplet_loss(
            vectors,
            labels,
            gather_with_gradient(vectors),
            gather_with_gradient(labels),
            margin=self.margin,
        )
        return {'loss_identity': identity, 'loss_triplet': triplet}

    def _labels(self, data_samples: list[DataSample]) -> Tensor:
        """Return the identities of a batch, shape (B,), int64."""
        if not all('gt_label' in sample for sample in data_samples):
            raise ValueError(
                'ReIDHead learns from identities, and a data sample has no `gt_label`. '
                'Set `train_dataloader.dataset` to `dict(type="LabelledReID", '
                'dataset=dict(type=...), ...)`.'
            )
        labels = torch.cat([sample.gt_label for sample in data_samples])
        if labels.min() < 0:
            raise ValueError(
                'ReIDHead got an image of unknown identity (label −1). Draw batches by '
                'RandomIdentitySampler, which leaves these out.'
            )
        if labels.max() >= self.num_classes:
            raise ValueError(
                f'ReIDHead got the label {labels.max().item()}, but '
                f'`model.head.num_classes` is {self.num_classes}. Set it to the number '
                'of identities in the training set.'
            )
        return labels
