"""ViT whose patches are embedded by a few convolutions with IBN layers (ICS)."""

from mmcv.cnn.bricks.transformer import PatchEmbed
from mmpretrain.models import VisionTransformer
from torch import Tensor, nn

from mmreid_cc.registry import MODELS

from .ibn import InstanceBatchNorm

STEM_CHANNELS = 64
STEM_STRIDE = 2
PATCH_SIZE = 16


class IBNConvStem(PatchEmbed):
    """Three convolutions with IBN and BN at half resolution, then the patches.

    In place of the patch embedding of :class:`VisionTransformer`: the same number of
    tokens, 16 × 16 pixels each.

    Args:
        embed_dims (int): C, the channels of a token.
        img_size (tuple[int, int]): Height and width of images, multiples of 16.

    References:
        TransReID-SSL (arXiv 2111.12084), "IBN-based convolution stem" (ICS).

    Examples:
        >>> tokens, grid = IBNConvStem(384, (256, 128))(torch.randn(2, 3, 256, 128))
        >>> tokens.shape, grid
        (torch.Size([2, 128, 384]), (16, 8))
    """

    def __init__(self, embed_dims: int, img_size: tuple[int, int]) -> None:
        height, width = img_size
        super().__init__(
            in_channels=STEM_CHANNELS,
            embed_dims=embed_dims,
            kernel_size=PATCH_SIZE // STEM_STRIDE,
            stride=PATCH_SIZE // STEM_STRIDE,
            input_size=(height // STEM_STRIDE, width // STEM_STRIDE),
        )
        self.stem = nn.Sequential(
            nn.Conv2d(3, STEM_CHANNELS, 7, stride=STEM_STRIDE, padding=3, bias=False),
            InstanceBatchNorm(STEM_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(STEM_CHANNELS, STEM_CHANNELS, 3, padding=1, bias=False),
            InstanceBatchNorm(STEM_CHANNELS),
            nn.ReLU(inplace=True),
            nn.Conv2d(STEM_CHANNELS, STEM_CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(STEM_CHANNELS),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Embed images.

        Args:
            x (Tensor): Shape (B, 3, H, W).

        Returns:
            tuple[Tensor, tuple[int, int]]: Tokens (B, H/16 · W/16, C) and their grid,
            (H/16, W/16).
        """
        return super().forward(self.stem(x))


@MODELS.register_module()
class ICSVisionTransformer(VisionTransformer):
    """``mmpretrain.VisionTransformer`` with the convolution stem of TransReID-SSL.

    ``tools/model_converters/convert.py`` converts the authors' weights.

    Args:
        arch (str | dict): As in ``mmpretrain.VisionTransformer``.
            Defaults to ``'deit-small'``, the ViT-S/16 of DINO and TransReID-SSL.
        img_size (tuple[int, int]): Height and width for which the position embedding is
            kept, multiples of 16; it is resized for images of another size.
            Defaults to (256, 128).
        drop_path_rate (float): Rate of stochastic depth. Defaults to 0.
        init_cfg (dict | list, optional): Initialisation. Defaults to None.

    Raises:
        ValueError: If ``img_size`` does not fit the stem.

    References:
        Luo et al., *Self-Supervised Pre-Training for Transformer-Based Person
        Re-Identification* (arXiv 2111.12084).

    Examples:
        .. code:: python

            model = dict(
                backbone=dict(
                    _delete_=True, type='ICSVisionTransformer', drop_path_rate=0.3),
                neck=None,
                head=dict(in_channels=384))
    """

    def __init__(
        self,
        arch: str | dict = 'deit-small',
        img_size: tuple[int, int] = (256, 128),
        drop_path_rate: float = 0.0,
        init_cfg: dict | list | None = None,
    ) -> None:
        if any(side % PATCH_SIZE for side in img_size):
            raise ValueError(
                f'ICSVisionTransformer: img_size must be multiples of {PATCH_SIZE}, '
                f'not {tuple(img_size)}'
            )
        super().__init__(
            arch,
            img_size=img_size,
            patch_size=PATCH_SIZE,
            drop_path_rate=drop_path_rate,
            init_cfg=init_cfg,
        )
        self.patch_embed = IBNConvStem(self.embed_dims, img_size)
