# ResNet-18 of half the width, from scratch.
_base_ = 'cc_r50.py'

model = dict(
    backbone=dict(depth=18, stem_channels=32, base_channels=32, init_cfg=None),
    head=dict(in_channels=256),
)
