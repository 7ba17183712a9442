"""Grad-CAM of the similarity of two images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from torch import Tensor

from .crop_sheet import read_crop

COLORS = 'inferno'


class SimilarityMaps(NamedTuple):
    """The regions that contribute to the similarity of two images.

    Attributes:
        maps (np.ndarray): (2, H, W) float32, ≥ 0, one for each image; the height and
            width of the network's last feature map.
        similarity (float): The cosine of the embeddings.
    """

    maps: np.ndarray
    similarity: float


def similarity_maps(model: Any, inputs: Tensor) -> SimilarityMaps:
    """Compute the Grad-CAM of the cosine of two images' embeddings.

    The channels of the last feature map are weighted by the mean of the cosine's
    gradient over the map, added, and cut off at zero. The result shows what contributes
    to the similarity. (Grad-CAM uses the score of a class in place of the cosine.)

    Args:
        model (ImageClassifier): Model whose head gives L2-normalised embeddings. It is
            in evaluation mode meanwhile, and left in the mode that it was in.
        inputs (Tensor): (2, 3, H, W), as the model's ``data_preprocessor`` returns
            them.

    Returns:
        SimilarityMaps: Both maps and the cosine.

    Raises:
        ValueError: If the backbone returns vectors, as a ViT does, and no map.

    Source: Selvaraju et al., *Grad-CAM* (ICCV 2017), section 3; similarity in place of
    a class: Stylianou et al., *Visualizing Deep Similarity Networks* (WACV 2019).

    Example:
        >>> similarity_maps(model, inputs).maps.shape
        (2, 16, 8)
    """
    was_training = model.training
    model.eval()
    try:
        return _similarity_maps(model, inputs)
    finally:
        model.train(was_training)


def _similarity_maps(model: Any, inputs: Tensor) -> SimilarityMaps:
    with torch.no_grad():
        outputs = model.backbone(inputs)
    last = outputs[-1] if isinstance(outputs, (tuple, list)) else outputs
    if not isinstance(last, Tensor) or last.ndim != 4:
        shape = tuple(last.shape) if isinstance(last, Tensor) else type(last).__name__
        raise ValueError(
            f'Grad-CAM needs a backbone that returns a map (B, C, H, W); '
            f'{type(model.backbone).__name__} returned {shape}. The embedding of a ViT '
            'depends on its class token only, so its last patch tokens have no '
            'gradient. Use a convolutional network or a Swin transformer.'
        )
    feature_map = last.detach().requires_grad_()
    with torch.enable_grad():
        pooled = model.neck((feature_map,)) if model.with_neck else (feature_map,)
        first, second = F.normalize(model.head(pooled))
        similarity = first @ second
        (gradient,) = torch.autograd.grad(similarity, feature_map)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = (weights * feature_map.detach()).sum(dim=1).clamp(min=0)
    return SimilarityMaps(maps.float().cpu().numpy(), similarity.item())


def grad_cam_figure(
    pairs: Sequence[tuple[str, str]],
    computed: Sequence[SimilarityMaps],
    captions: Sequence[str],
) -> Figure:
    """Draw pairs of images, each image next to a copy with its map.

    Args:
        pairs (Sequence[tuple[str, str]]): Paths of the images of each pair.
        computed (Sequence[SimilarityMaps]): Maps of each pair.
        captions (Sequence[str]): What is to be known of each pair, e.g. whether it
            shows one person.

    Returns:
        Figure: A column for each pair.

    Raises:
        ValueError: If there is no pair, or the arguments differ in length.
        OSError: If an image cannot be read.

    Example:
        >>> grad_cam_figure([('a.jpg', 'b.jpg')], [computed], ['one person'])
        <Figure size ...>
    """
    if not pairs or not len(pairs) == len(computed) == len(captions):
        raise ValueError(
            f'{len(pairs)} pairs, {len(computed)} computed maps and {len(captions)} '
            'captions: there must be as many of each, and at least one.'
        )
    figure = Figure(figsize=(0.9 + 2.3 * len(pairs), 4.6), layout='constrained')
    # An empty column between two pairs.
    columns = 3 * len(pairs) - 1
    widths = [0.15 if column % 3 == 2 else 1 for column in range(columns)]
    axes = figure.subplots(2, columns, squeeze=False, width_ratios=widths)
    for ax in axes.ravel():
        ax.axis('off')
    for column, (paths, result, caption) in enumerate(
        zip(pairs, computed, captions, strict=True)
    ):
        for row, path in enumerate(paths):
            image = read_crop(path)
            plain, mapped = axes[row, 3 * column : 3 * column + 2]
            _draw(plain, image)
            _draw(mapped, image, result.maps[row])
        title = f'{caption}\ncosine {result.similarity:.2f}'
        axes[0, 3 * column].set_title(title, fontsize=9, loc='left')
    scale = ScalarMappable(cmap=COLORS)
    scale.set_clim(0, 100)
    bar = figure.colorbar(scale, ax=axes, aspect=30)
    bar.set_label('evidence for the similarity\n(percent of the most in the image)')
    return figure


def _draw(ax: Axes, image: np.ndarray, evidence: np.ndarray | None = None) -> None:
    height, width = image.shape[:2]
    ax.imshow(image)
    if evidence is not None:
        share = evidence / max(float(evidence.max()), 1e-12)
        # Drawn over the image, and transparent where nothing contributes.
        large = F.interpolate(
            torch.from_numpy(share)[None, None], (height, width), mode='bilinear'
        )[0, 0].numpy()
        ax.imshow(large, cmap=COLORS, vmin=0, vmax=1, alpha=0.25 + 0.5 * large)
