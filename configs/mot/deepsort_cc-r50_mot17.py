# DeepSORT of mmdet with a network of ours for appearance. `reid.init_cfg` is the
# checkpoint of cc_r50_market.py, or of another config whose model is written here: put
# your file for N, e.g. best_reid_mAP_epoch_48.pth or epoch_50.pth.
_base_ = 'mmdet::deepsort/deepsort_faster-rcnn_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval.py'  # noqa: E501
custom_imports = dict(imports=['mmreid_cc.models'], allow_failed_imports=False)

model = dict(
    reid=dict(
        _delete_=True,
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
    ),
    # Of L2-normalised embeddings: 2 would let everyone match.
    tracker=dict(reid=dict(match_score_thr=1.0)),
)
