# ResNet-50 with last stride 1, GeM pooling, BN neck, cluster memory.
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        type='ClsDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        to_rgb=True,
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        strides=(1, 2, 2, 1),
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    neck=dict(type='GeneralizedMeanPooling', p=3.0),
    head=dict(
        type='ClusterContrastHead',
        in_channels=2048,
        memory=dict(type='ClusterMemory', momentum=0.1, temperature=0.05),
    ),
)
