# ViT-S/16 of PASS: class token and mean part token, pre-trained on LUPerson.
_base_ = 'cc_vit-small_market.py'

# From github.com/CASIA-IVA-Lab/PASS-reID, converted by `convert.py pass` in
# tools/model_converters.
weights = dict(checkpoint='pretrained/pass_vit_small.pth')
model = dict(
    backbone=dict(type='PASSVisionTransformer', init_cfg=weights),
    head=dict(in_channels=768),
)
