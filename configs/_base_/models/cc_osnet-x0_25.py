# OSNet x0.25 with torchreid's embedding: average pooling, a linear layer, BN, ReLU.
_base_ = 'cc_r50.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='OSNet',
        widen_factor=0.25,
    ),
    neck=dict(
        _delete_=True,
        type='LinearNeck',
        in_channels=128,
        out_channels=512,
        gap_dim=2,
        norm_cfg=dict(type='BN1d'),
        act_cfg=dict(type='ReLU'),
    ),
    head=dict(in_channels=512),
)
