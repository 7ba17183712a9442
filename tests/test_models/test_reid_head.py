"""The supervised head: its two losses, its embedding, and whose weights it shares."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from mmreid_cc.models import ClusterContrastHead, ReIDHead


def make(**arguments):
    torch.manual_seed(0)
    return ReIDHead(16, num_classes=3, **arguments)


def samples_of(labels):
    return [DataSample().set_gt_label(label) for label in labels]


def test_identity_loss_smooths_labels():
    """As Luo et al. write it, section 3.3: ε/N, and 1 − ε(N−1)/N for the true one."""
    head, feats, labels = make(), torch.randn(4, 16), [0, 2, 2, 1]
    loss = head.loss(feats, samples_of(labels))['loss_identity']
    weights = torch.full((4, 3), 0.1 / 3)
    weights[range(4), labels] = 1 - 0.1 * 2 / 3
    logits = F.linear(make().bn(feats), head.classifier.weight)
    expected = -(weights * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(('margin', 'expected'), [(0.5, 1.5), (None, 1.3133)])
def test_triplet_loss_before_the_bn_neck(margin, expected):
    """Positives 2 apart, negatives 1: the soft margin gives log(1 + e)."""
    feats = torch.zeros(4, 16)
    feats[:, 0] = torch.tensor([0.0, 2, 1, 3])
    losses = make(margin=margin).loss(feats, samples_of([0, 0, 1, 1]))
    assert losses['loss_triplet'] == pytest.approx(expected, abs=1e-4)


def test_embedding_is_that_of_the_unsupervised_head():
    head = make(embed_dim=5)
    head.loss(torch.randn(8, 16), samples_of([0, 1, 2, 0] * 2))  # statistics move
    other = ClusterContrastHead(16, memory=dict(type='ClusterMemory'), embed_dim=5)
    missing, unexpected = other.load_state_dict(head.state_dict(), strict=False)
    assert (missing, unexpected) == ([], ['classifier.weight'])
    feats = torch.randn(4, 16, 3, 2)
    embeddings = head.eval()(feats)
    assert embeddings.shape == (4, head.out_channels) == (4, 5)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))
    assert embeddings.equal(other.eval()(feats))
    predicted = head.predict(feats, samples_of([0, 1, 2, 0]))
    assert predicted[3].feature.equal(embeddings[3])


def test_gradients_reach_all_but_the_frozen_bias():
    head, feats = make(), torch.randn(6, 16, requires_grad=True)
    sum(head.loss(feats, samples_of([0, 0, 1, 1, 2, 2])).values()).backward()
    assert (feats.grad != 0).any(dim=1).all()
    trained = [name for name, p in head.named_parameters() if p.grad is not None]
    assert trained == ['bn.weight', 'classifier.weight']


def test_labels_that_do_not_fit():
    head, feats = make(), torch.randn(2, 16)
    with pytest.raises(ValueError, match=r'label 3, but .*num_classes` is 3'):
        head.loss(feats, samples_of([0, 3]))
    with pytest.raises(ValueError, match=r'unknown identity.*RandomIdentitySampler'):
        head.loss(feats, samples_of([0, -1]))
    with pytest.raises(ValueError, match=r'no `gt_label`.*LabelledReID'):
        head.loss(feats, [DataSample(), DataSample()])


@pytest.mark.parametrize(
    'wrong', [dict(num_classes=0), dict(label_smoothing=1.0), dict(margin=-1.0)]
)
def test_arguments_that_do_not_fit(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f'ReIDHead: {name} must be'):
        ReIDHead(16, **{'num_classes': 3, **wrong})


def test_wrong_channels():
    with pytest.raises(ValueError, match=r'ReIDHead expects .*head.in_channels` to 8'):
        make()(torch.randn(4, 8))
