"""The head takes what backbones give, and looks its labels up by index."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmpretrain.structures import DataSample

from mmreid_cc.models import ClusterContrastHead
from mmreid_cc.registry import MODELS


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmreid_cc')


def make(**arguments):
    torch.manual_seed(0)
    return ClusterContrastHead(16, memory=dict(type='ClusterMemory'), **arguments)


@pytest.mark.parametrize(
    'feats',
    [
        torch.randn(4, 16),
        (torch.randn(4, 8), torch.randn(4, 16)),
        torch.randn(4, 16, 3, 2),
        (torch.randn(4, 16, 3, 2),),
    ],
)
def test_embeddings_of_what_backbones_give(feats):
    head = make().eval()
    embeddings = head(feats)
    assert embeddings.shape == (4, head.out_channels)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))


def test_linear_embedding():
    head = make(embed_dim=5)
    assert head.out_channels == 5
    assert head(torch.randn(4, 16)).shape == (4, 5)


def test_bias_of_the_bn_neck_is_frozen():
    head = make()
    trained = [name for name, p in head.named_parameters() if p.requires_grad]
    assert trained == ['bn.weight']


def test_loss_by_sample_idx_only():
    head = make().eval()
    centroids = torch.nn.functional.normalize(torch.randn(3, 16))
    head.memory.reset(centroids, torch.tensor([2, -1, 0, 1]))
    feats = torch.randn(3, 16)
    samples = [DataSample(metainfo=dict(sample_idx=i)) for i in (3, 0, 2)]
    loss = head.loss(feats, samples)['loss']
    expected = torch.nn.functional.cross_entropy(
        head(feats) @ centroids.T / 0.05, torch.tensor([1, 2, 0])
    )
    torch.testing.assert_close(loss, expected)
    for sample, leak in zip(samples, (9, 8, 7), strict=True):
        sample.set_gt_label(leak).set_metainfo(dict(pid=leak))
    assert head.loss(feats, samples)['loss'] == loss


def test_loss_before_the_first_clustering():
    samples = [DataSample(metainfo=dict(sample_idx=0))]
    with pytest.raises(RuntimeError, match=r'no labels. ClusterMemoryHook fills it'):
        make().loss(torch.randn(1, 16), samples)


def test_un_clustered_images_are_refused():
    head = make()
    head.memory.reset(torch.eye(2, 16), torch.tensor([0, -1, 1]))
    samples = [DataSample(metainfo=dict(sample_idx=i)) for i in (0, 1)]
    with pytest.raises(ValueError, match=r'Images \[1\] belong to no cluster'):
        head.loss(torch.randn(2, 16), samples)


def test_predict():
    head = make().eval()
    feats = torch.randn(2, 16)
    samples = [DataSample(metainfo=dict(pid=i)) for i in range(2)]
    predicted = head.predict(feats, samples)
    assert predicted[1].to_dict()['pid'] == 1
    assert predicted[1].feature.untyped_storage().nbytes() == 16 * 4  # no batch behind
    torch.testing.assert_close(predicted[1].feature, head(feats)[1])
    assert head.predict(feats)[0].feature.shape == (16,)


@pytest.mark.parametrize('shape', [(4, 8), (4, 8, 3, 2), (4, 16, 3)])
def test_wrong_channels(shape):
    with pytest.raises(ValueError, match=r'\(B, 16\).*got \(4, .*head.in_channels'):
        make()(torch.randn(shape))


@pytest.mark.parametrize(
    ('backbone', 'neck', 'channels'),
    [
        (dict(type='ResNet', depth=18), dict(type='GeneralizedMeanPooling'), 512),
        (
            dict(type='VisionTransformer', arch='deit-tiny', img_size=32),
            dict(type='GeneralizedMeanPooling'),
            192,
        ),
        (dict(type='MobileNetV2'), None, 1280),
    ],
)
def test_in_an_image_classifier(backbone, neck, channels):
    """Modes of mmpretrain's classifier, with 4-D and 2-D backbone features."""
    model = MODELS.build(
        dict(
            type='ImageClassifier',
            backbone=backbone,
            neck=neck,
            head=dict(
                type='ClusterContrastHead',
                in_channels=channels,
                memory=dict(type='ClusterMemory'),
            ),
        )
    )
    model.head.memory.reset(torch.eye(2, channels), torch.tensor([0, 1]))
    images = torch.randn(2, 3, 32, 32)
    samples = [DataSample(metainfo=dict(sample_idx=i)) for i in range(2)]
    model(images, samples, mode='loss')['loss'].backward()
    assert all(
        p.grad is not None for p in model.backbone.parameters() if p.requires_grad
    )
    model.eval()
    embeddings = model(images, mode='tensor')
    predicted = model(images, samples, mode='predict')
    torch.testing.assert_close(predicted[0].feature, embeddings[0])
