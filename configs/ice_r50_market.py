# ICE: camera proxies, and the images of a batch compared with each other.
_base_ = 'cc_r50_market.py'

blur = dict(type='GaussianBlur', magnitude_range=(0.1, 2.0), magnitude_std='inf')

train_pipeline = _base_.train_pipeline
flip, crop, erasing = train_pipeline[2:-1]
strong = [crop, flip, dict(**blur, prob=0.5), dict(erasing, prob=0.6)]
views = dict(type='MultiView', num_views=[2, 1], transforms=[strong, []])
train_pipeline[2:-1] = [views]
train_dataloader = dict(
    batch_size=32,
    dataset=dict(pipeline=train_pipeline),
    sampler=dict(num_clusters=8, num_instances=4, iters_per_epoch=400),
    collate_fn=dict(type='collate_views'),
)

memory = dict(
    _delete_=True,
    type='InterInstanceMemory',
    intra_weight=0,
    inter_weight=0.5,
    cluster_weight=1,
    positives='separate',
    cluster_temperature=0.5,
)
model = dict(
    type='TaughtClassifier',
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(memory=memory),
)
default_hooks = dict(
    cluster_memory=dict(clusterer=dict(eps=0.55)),
    batch_norm_groups=dict(samples_per_bn=32),
)
custom_hooks = [dict(type='TeacherHook')]

param_scheduler = dict(
    _delete_=True, type='LinearLR', start_factor=0.1, begin=0, end=10, by_epoch=True
)
train_cfg = dict(max_epochs=40)
