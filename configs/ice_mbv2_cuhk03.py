# As cc_mbv2_cuhk03.py, by ICE.
_base_ = 'cc_mbv2_cuhk03.py'

train_pipeline = _base_.train_pipeline
views = dict(type='MultiView', num_views=[2, 1], transforms=[train_pipeline[2:-1], []])
train_pipeline[2:-1] = [views]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline), collate_fn=dict(type='collate_views')
)

memory = dict(
    _delete_=True,
    type='InterInstanceMemory',
    intra_weight=0,
    cluster_weight=1,
    positives='separate',
)
model = dict(type='TaughtClassifier', head=dict(memory=memory))
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
