# The network of the trackers in this folder: that of cc_r50_market.py. `init_cfg` names
# its checkpoint: put your file there, e.g. best_reid_mAP_epoch_48.pth or epoch_50.pth.
custom_imports = dict(imports=['mmreid_cc.models'], allow_failed_imports=False)

reid = dict(
    # mmdet's: an ImageClassifier that also takes images (1, N, C, H, W).
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
)
