# MMT-500: Market-1501 without labels, from two networks that learned DukeMTMC-reID with
# labels, by baseline_r50_duke.py with two seeds.
_base_ = 'cc_r50_market.py'

train_pipeline = _base_.train_pipeline
views = dict(type='MultiView', num_views=[2], transforms=[train_pipeline[2:-1]])
train_pipeline[2:-1] = [views]
train_dataloader = dict(
    batch_size=64,
    dataset=dict(pipeline=train_pipeline),
    sampler=dict(num_clusters=16, num_instances=4, iters_per_epoch=800),
    collate_fn=dict(type='collate_views'),
)

first = dict(type='ResNet', depth=50, strides=(1, 2, 2, 1))
second = dict(**first)
weights = dict(type='Pretrained', prefix='backbone.')
first.update(
    init_cfg=dict(checkpoint='work_dirs/baseline_r50_duke/epoch_120.pth', **weights)
)
second.update(
    init_cfg=dict(
        checkpoint='work_dirs/baseline_r50_duke_seed2/epoch_120.pth', **weights
    )
)
model = dict(
    type='MutualClassifier',
    backbone=dict(_delete_=True, type='Twins', networks=[first, second]),
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(in_channels=4096, memory=dict(_delete_=True, type='MutualMemory')),
)
clusterer = dict(_delete_=True, type='KMeans', n_clusters=500)
default_hooks = dict(
    cluster_memory=dict(clusterer=clusterer),
    batch_norm_groups=dict(samples_per_bn=16),  # 64 images on 4 GPUs
)
custom_hooks = [dict(type='TeacherHook')]

param_scheduler = None
train_cfg = dict(max_epochs=40)
