# As cc_r50.py, with IBN-ResNet-50-a and its authors' ImageNet weights.
_base_ = 'cc_r50.py'

weights = (
    'https://github.com/XingangPan/IBN-Net/releases/download/v1.0/'
    'resnet50_ibn_a-d9d0bb7b.pth'
)
model = dict(backbone=dict(type='ResNetIBN', init_cfg=dict(checkpoint=weights)))
