# StrongSORT of mmdet with a network of ours for appearance.
_base_ = [
    'mmdet::strongsort/strongsort_yolox_x_8xb4-80e_crowdhuman-mot17halftrain_test-mot17halfval.py',
    'reid_cc-r50.py',
]

model = dict(reid=dict(_delete_=True, **_base_.reid))
