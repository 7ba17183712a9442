# Swin-T of SOLIDER, pre-trained on LUPerson.
_base_ = 'cc_r50_market.py'

# From github.com/tinyvision/SOLIDER, converted by `convert.py solider` in
# tools/model_converters.
weights = dict(type='Pretrained', prefix='backbone.')
weights.update(checkpoint='pretrained/solider_swin_tiny.pth')
model = dict(
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
    backbone=dict(
        _delete_=True,
        type='SOLIDERSwin',
        arch='tiny',
        img_size=(256, 128),
        pad_small_map=True,
        init_cfg=weights,
    ),
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(in_channels=768),
)
