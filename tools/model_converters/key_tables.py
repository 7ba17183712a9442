r"""The names of weights in other programs, and here.

Read from the public code of each source; keys come without ``module.``. Where a head or
neck has a place here, the config that gives it is next to the table.
"""

import re

import torch
from key_mapping import KeyTable, Weights
from torch import nn

# torchvision's names, which mmpretrain.ResNet and IBN-Net share.
RESNET = {r'((?:conv1|bn1|layer[1-4])\..+)': r'backbone.\1'}

# The reference: torchvision's layers in a Sequential.
REFERENCE_PARTS = {
    'base.0.': 'backbone.conv1.',
    'base.1.': 'backbone.bn1.',
    'base.4.': 'backbone.layer1.',
    'base.5.': 'backbone.layer2.',
    'base.6.': 'backbone.layer3.',
    'base.7.': 'backbone.layer4.',
    'gap.': 'neck.',
    'feat.': 'head.fc.',
    'feat_bn.': 'head.bn.',
}


def _by_prefix(prefixes: dict[str, str]) -> dict[str, str]:
    return {rf'{re.escape(old)}(.+)': rf'{new}\1' for old, new in prefixes.items()}


def _fastreid_embedding(weights: Weights) -> Weights:
    """Its reduction is a 1 × 1 convolution without bias, ours a linear layer."""
    if 'head.fc.weight' not in weights:
        raise ValueError('there is no heads.bottleneck.0.weight')
    weight = weights['head.fc.weight'].flatten(1)
    bias = torch.zeros(len(weight))
    return {**weights, 'head.fc.weight': weight, 'head.fc.bias': bias}


FASTREID = {
    r'backbone\.((?:conv1|bn1|layer[1-4])\..+)': r'backbone.\1',
    r'heads\.pool_layer\.p': 'neck.p',
}
FASTREID_DROPPED = (
    'pixel_mean',
    'pixel_std',
    r'heads\.weight',
    r'heads\.classifier\..+',
)


def _identity_bn_neck(weights: Weights) -> Weights:
    """Its features have no BN neck, so that of the head is to change nothing."""
    names = ('neck.norm', 'backbone.last.bn', 'backbone.layer4.2.bn3')
    scales = [weights[f'{n}.weight'] for n in names if f'{n}.weight' in weights]
    if not scales:
        raise ValueError('there is neither a last layer nor an embedding')
    identity = nn.BatchNorm1d(len(scales[0])).state_dict()
    return {**weights, **{f'head.bn.{key}': value for key, value in identity.items()}}


# A linear layer, BN and ReLU: mmpretrain's LinearNeck with `gap_dim=2`,
# `norm_cfg=dict(type='BN1d')` and `act_cfg=dict(type='ReLU')`.
TORCHREID_EMBEDDING = {r'fc\.0\.(.+)': r'neck.fc.\1', r'fc\.1\.(.+)': r'neck.norm.\1'}

OSNET_LITE = {
    r'conv1\.weight': r'pointwise.weight',
    r'conv2\.weight': r'depthwise.conv.weight',
    r'bn\.(.+)': r'depthwise.bn.\1',
}


def _osnet() -> dict[str, str]:
    rules = {
        r'conv1\.(.+)': r'backbone.stem.0.\1',
        r'conv5\.(.+)': r'backbone.last.\1',
    }
    for stage in range(3):
        block = rf'conv{stage + 2}\.([01])'
        ours = rf'backbone.stages.{stage}.\1'
        for theirs, name in {
            r'conv1\.(.+)': r'reduce.\2',
            r'conv3\.(.+)': r'expand.\2',
            r'downsample\.(.+)': r'downsample.\2',
            r'gate\.fc([12])\.(.+)': r'gate.conv\2.conv.\3',
        }.items():
            rules[rf'{block}\.{theirs}'] = f'{ours}.{name}'
        for theirs, name in OSNET_LITE.items():
            # The first stream is one layer, the others are sequences.
            first = name.replace(r'\1', r'\2')
            others = name.replace(r'\1', r'\3')
            rules[rf'{block}\.conv2a\.{theirs}'] = f'{ours}.streams.0.0.{first}'
            for index, stream in enumerate('bcd', 1):
                pattern = rf'{block}\.conv2{stream}\.(\d)\.{theirs}'
                rules[pattern] = rf'{ours}.streams.{index}.\2.{others}'
        transition = rf'conv{stage + 2}\.2\.0\.(.+)'
        rules[transition] = rf'backbone.stages.{stage}.2.\1'
    return rules


# ViT of timm, DINO and TransReID-SSL; `conv` is the ICS stem, `bottleneck` the BN neck.
VIT = {
    r'(?:base\.|backbone\.)?' + theirs: ours
    for theirs, ours in {
        r'(cls_token|pos_embed)': r'backbone.\1',
        r'patch_embed\.proj\.(.+)': r'backbone.patch_embed.projection.\1',
        r'patch_embed\.conv\.(.+)': r'backbone.patch_embed.stem.\1',
        r'blocks\.(\d+)\.norm([12])\.(.+)': r'backbone.layers.\1.ln\2.\3',
        r'blocks\.(\d+)\.attn\.(qkv|proj)\.(.+)': r'backbone.layers.\1.attn.\2.\3',
        r'blocks\.(\d+)\.mlp\.fc1\.(.+)': r'backbone.layers.\1.ffn.layers.0.0.\2',
        r'blocks\.(\d+)\.mlp\.fc2\.(.+)': r'backbone.layers.\1.ffn.layers.1.\2',
        r'norm\.(.+)': r'backbone.ln1.\1',
        r'bottleneck\.(.+)': r'head.bn.\1',
    }.items()
}

PASS_ROWS = {
    'backbone.cls_token': ['cls_token', 'part_token1', 'part_token2', 'part_token3'],
    'backbone.pos_embed': [
        'cls_pos',
        'part1_pos',
        'part2_pos',
        'part3_pos',
        'pos_embed',
    ],
}


def _pass_tokens(weights: Weights) -> Weights:
    """Its tokens and their positions are parameters one by one, ours are rows."""
    names = [name for rows in PASS_ROWS.values() for name in rows]
    missing = [name for name in names if name not in weights]
    if missing:
        raise ValueError(f'there is no {", ".join(missing)}: is it a ViT of PASS?')
    kept = {key: value for key, value in weights.items() if key not in names}
    joined = {
        key: torch.cat([weights[name] for name in rows], dim=1)
        for key, rows in PASS_ROWS.items()
    }
    return {**kept, **joined}


TABLES = {
    # models/resnet.py and resnet_ibn.py of the paper's code: configs/cc_r50_*.py and
    # cc_r50ibn_*.py.
    'cluster-contrast': KeyTable(_by_prefix(REFERENCE_PARTS), (r'classifier\..+',)),
    'to-cluster-contrast': KeyTable(
        _by_prefix({ours: theirs for theirs, ours in REFERENCE_PARTS.items()})
    ),
    # Pre-trained by DINO or TransReID-SSL, or the latter's Cluster Contrast:
    # configs/cc_vit-small_*.py and, with `conv`, cc_vit-small-ics_*.py.
    'vit': KeyTable(VIT, (r'(?:base\.)?(?:head|fc|classifier)\..+',)),
    # Pre-trained by SOLIDER, or its re-ID (`base.`): SOLIDERSwin, as in
    # configs/cc_solider-tiny_market.py. Only the last stage is put out, whose semantic
    # layers change nothing; re-ID without a reduced embedding.
    'solider': KeyTable(
        {
            r'(?:backbone|base)\.((?:patch_embed|stages|norm3)\..+)': r'backbone.\1',
            r'(?:backbone|base)\.(semantic_embed_[wb]\.[012]\..+)': r'backbone.\1',
            r'bottleneck\.(.+)': r'head.bn.\1',
        },
        (
            r'(?:backbone|base)\.norm[012]\..+',
            r'(?:backbone|base)\.semantic_embed_[wb]\.3\..+',
            r'(?:head|classifier)\..+',
        ),
    ),
    # Pre-trained by PASS, or its Cluster Contrast with feat_fusion='cat' and one neck:
    # PASSVisionTransformer, as in configs/cc_pass-small_market.py.
    'pass': KeyTable(
        {
            r'(?:base\.|backbone\.)?'
            r'(cls_token|pos_embed|part_token[123]|(?:cls|part[123])_pos)': r'\1',
            **VIT,
        },
        (r'(?:base\.)?(?:head|fc|classifier)\..+',),
        _pass_tokens,
    ),
    # Without non-local blocks; strides=(1, 2, 2, 1). The backbone is FastReIDResNet or
    # FastReIDResNetIBN, for weights of early versions ResNet or ResNetIBN.
    'fastreid': KeyTable(
        {**FASTREID, r'heads\.bottleneck\.0\.(.+)': r'head.bn.\1'}, FASTREID_DROPPED
    ),
    # The same with MODEL.HEADS.EMBEDDING_DIM, our `head.embed_dim`.
    'fastreid-embedding': KeyTable(
        {
            **FASTREID,
            r'heads\.bottleneck\.0\.(weight)': r'head.fc.\1',
            r'heads\.bottleneck\.1\.(.+)': r'head.bn.\1',
        },
        FASTREID_DROPPED,
        _fastreid_embedding,
    ),
    # Strides are (1, 2, 2, 2) in resnet50 and resnet50_ibn_a, (1, 2, 2, 1) in
    # resnet50_fc512. Without the latter's embedding the neck is GlobalAveragePooling.
    'torchreid-resnet': KeyTable(
        {**RESNET, **TORCHREID_EMBEDDING}, (r'classifier\..+',), _identity_bn_neck
    ),
    # configs/cc_osnet-x0_25_cuhk03.py.
    'torchreid-osnet': KeyTable(
        {**_osnet(), **TORCHREID_EMBEDDING}, (r'classifier\..+',), _identity_bn_neck
    ),
    # Also the ImageNet weights of IBN-Net.
    'torchvision': KeyTable(RESNET, (r'fc\..+',)),
}
