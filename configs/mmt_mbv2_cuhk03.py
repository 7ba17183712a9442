# As cc_mbv2_cuhk03.py, by MMT: both networks start alike and see different views.
_base_ = 'cc_mbv2_cuhk03.py'

image_size = (128, 64)  # height, width
resize = dict(type='Resize', scale=image_size[::-1], backend='pillow')
resize.update(interpolation='bicubic')

augmentation = [
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomCrop', crop_size=image_size, padding=10),
    dict(type='ReIDRandomErasing', prob=0.5),
]
train_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(type='MultiView', num_views=[2], transforms=[augmentation]),
    dict(type='PackInputs', meta_keys=('sample_idx', 'img_path')),
]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline), collate_fn=dict(type='collate_views')
)

network = dict(type='MobileNetV2', init_cfg={{_base_.model.backbone.init_cfg}})
model = dict(
    type='MutualClassifier',
    backbone=dict(_delete_=True, type='Twins', networks=[network, network]),
    head=dict(in_channels=2560, memory=dict(_delete_=True, type='MutualMemory')),
)
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
