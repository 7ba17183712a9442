_base_ = 'cc_vit-small_market.py'

model = dict(
    backbone=dict(
        type='ICSVisionTransformer',
        arch='deit-small',
        init_cfg=dict(checkpoint='pretrained/vit_small_ics_cfs_lup.pth'),
    ),
)
