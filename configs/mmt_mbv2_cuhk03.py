# As cc_mbv2_cuhk03.py, by MMT: both networks start alike and see different views.
_base_ = 'cc_mbv2_cuhk03.py'

train_pipeline = _base_.train_pipeline
views = dict(type='MultiView', num_views=[2], transforms=[train_pipeline[2:-1]])
train_pipeline[2:-1] = [views]
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
