# StrongSORT of mmdet with a network of ours for appearance, as in
# deepsort_cc-r50_mot17.py; put your checkpoint as it says there.
_base_ = 'mmdet::strongsort/strongsort_yolox_x_8xb4-80e_crowdhuman-mot17halftrain_test-mot17halfval.py'  # noqa: E501
custom_imports = dict(imports=['mmreid_cc.models'], allow_failed_imports=False)

model = dict(
    reid=dict(
        _delete_=True,
        type='BaseReID',
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor'),
        backbone=dict(type='mmpretrain.ResNet', depth=50, strides=(1, 2, 2, 1)),
        neck=dict(type='mmreid_cc.GeneralizedMeanPooling'),
        head=dict(
            type='mmreid_cc.ClusterContrastHead',
            in_channels=2048,
            memory=dict(type='mmreid_cc.ClusterMemory'),
        ),
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/cc_r50_market/best_reid_mAP_epoch_N.pth',
        ),
    ),
)
