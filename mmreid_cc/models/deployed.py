"""A trained model without its loss, ready for export: images in, embeddings out."""

import copy

import torch
from mmpretrain.models import ImageClassifier
from torch import Tensor, nn

from .heads.bn_neck_head import BNNeckHead


class DeployedModel(nn.Module):
    """Images in, L2-normalised embeddings out: what is exported of a trained model.

    It is a plain PyTorch module in evaluation mode, with copies of the backbone, the
    neck and the layers of the head, but without memory, classifier and data samples. A
    GeM neck keeps its trained p.

    Args:
        model (ImageClassifier): Model with a head of this package; not wrapped, left as
            it is.
        takes_pixels (bool): Whether images are RGB pixels in [0, 255], which the module
            normalises itself. Otherwise they are RGB and normalised by mean and
            deviation as ``model.data_preprocessor`` does. Defaults to False.

    Raises:
        ValueError: If the head is of another kind, so that there is no embedding; or
            the model was trained on BGR images.

    Examples:
        >>> deployed = DeployedModel(model, takes_pixels=True)
        >>> deployed(torch.randint(0, 256, (4, 3, 256, 128)).float()).shape
        torch.Size([4, 2048])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: ImageClassifier, takes_pixels: bool = False) -> None:
        super().__init__()
        if not isinstance(model.head, BNNeckHead):
            raise ValueError(
                f'A {type(model.head).__name__} gives no embedding. Deploy a model '
                'whose head is a ClusterContrastHead or a ReIDHead.'
            )
        preprocessor = model.data_preprocessor
        if not preprocessor.to_rgb:
            raise ValueError(
                'The model takes BGR images, but deployed models take RGB. Set '
                '`model.data_preprocessor.to_rgb=True`, and train with it.'
            )
        self.backbone: nn.Module = copy.deepcopy(model.backbone)
        self.neck: nn.Module = nn.Identity()
        if model.neck is not None:
            self.neck = copy.deepcopy(model.neck)
        self.head = BNNeckHead(model.head.in_channels)
        self.head.fc = copy.deepcopy(model.head.fc)
        self.head.bn = copy.deepcopy(model.head.bn)
        mean, std = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
        if takes_pixels:
            mean = getattr(preprocessor, 'mean', mean).clone()
            std = getattr(preprocessor, 'std', std).clone()
        self.takes_pixels = takes_pixels
        self.register_buffer('mean', mean)
        self.register_buffer('std', std)
        self.requires_grad_(False)
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Embed images.

        Args:
            images (Tensor): RGB, shape (B, 3, H, W), float32.

        Returns:
            Tensor: Shape (B, D), of length 1.
        """
        if self.takes_pixels:
            images = (images - self.mean) / self.std
        return self.head(self.neck(self.backbone(images)))
