# MobileNetV2, GeM pooling, BN neck, cluster memory.
_base_ = 'cc_r50.py'

weights = (
    'https://download.openmmlab.com/mmclassification/v0/mobilenet_v2/'
    'mobilenet_v2_batch256_imagenet_20200708-3b2dc3af.pth'
)
model = dict(
    backbone=dict(
        _delete_=True,
        type='MobileNetV2',
        init_cfg=dict(type='Pretrained', checkpoint=weights, prefix='backbone.'),
    ),
    head=dict(in_channels=1280),
)
