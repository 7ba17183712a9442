# ResNet-18 from scratch.
_base_ = 'cc_r50.py'

model = dict(
    backbone=dict(depth=18, init_cfg=None),
    head=dict(in_channels=512),
)
