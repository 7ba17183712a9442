"""Grad-CAM of a pair: the numbers of a network that is worked out by hand."""

import numpy as np
import pytest
import torch
from mmpretrain.models import ImageClassifier
from small_test_set import write_crops
from torch import nn

from mmreid_cc.visualization import SimilarityMaps, grad_cam_figure, similarity_maps


class Pass(nn.Module):
    """A backbone that returns its input, or the mean of it."""

    def __init__(self, pooled=False):
        super().__init__()
        self.pooled = pooled

    def forward(self, inputs):
        return (inputs.mean(dim=(2, 3)) if self.pooled else inputs,)


class Mean(nn.Module):
    """A head without weights."""

    def forward(self, feats):
        return nn.functional.normalize(feats[-1].mean(dim=(2, 3)))


def network(pooled=False):
    model = ImageClassifier(backbone=dict(type='ResNet', depth=18))
    model.backbone, model.head = Pass(pooled), Mean()
    return model


def test_maps():
    """Against finite differences of the cosine, by the definition of Grad-CAM."""
    maps = torch.rand(2, 3, 4, 2, dtype=torch.float64)
    model = network().train()
    result = similarity_maps(model, maps)
    assert model.training

    def cosine(values):
        first, second = Mean()((values,))
        return (first @ second).item()

    assert result.similarity == pytest.approx(cosine(maps))
    for image in range(2):
        expected = np.zeros((4, 2))
        for channel in range(3):
            # The mean of the gradient over a channel: all of it moved together.
            moved = maps.clone()
            moved[image, channel] += 1e-6
            weight = (cosine(moved) - cosine(maps)) / 1e-6 / 8
            expected += weight * maps[image, channel].numpy()
        np.testing.assert_allclose(
            result.maps[image], np.maximum(expected, 0), rtol=1e-3, atol=1e-6
        )
    assert result.maps.max() > 0


def test_a_backbone_without_a_map():
    model = network(pooled=True).train()
    with pytest.raises(ValueError, match=r'Pass returned \(2, 3\)\. The embed'):
        similarity_maps(model, torch.rand(2, 3, 4, 2))
    assert model.training


def test_figure(tmp_path):
    crops = write_crops(tmp_path)
    result = SimilarityMaps(np.random.default_rng(0).random((2, 4, 2)), 0.25)
    pairs = [(crops[0], crops[1]), (crops[2], crops[3])]
    figure = grad_cam_figure(pairs, [result] * 2, ['one person', 'two persons'])
    titles = [ax.get_title(loc='left') for ax in figure.axes]
    assert [title for title in titles if title] == [
        'one person\ncosine 0.25',
        'two persons\ncosine 0.25',
    ]
    # Two pairs of images, each alone and below its map.
    assert sum(len(ax.images) for ax in figure.axes) == 4 * 3
    with pytest.raises(ValueError, match='2 pairs, 1 computed maps and 2 captions'):
        grad_cam_figure(pairs, [result], ['a', 'b'])
