# PPLR, without its contrast across cameras: images and their three parts.
_base_ = 'cc_r50_market.py'

resize = dict(_base_.resize, scale=(128, 384))  # width, height
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1] = test_pipeline[1] = resize

train_dataloader = dict(
    batch_size=64,
    dataset=dict(pipeline=train_pipeline),
    sampler=dict(num_clusters=16, num_instances=4, iters_per_epoch=400),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

model = dict(
    neck=dict(_delete_=True, type='PartPooling', num_parts=3),
    head=dict(
        in_channels=8192, memory=dict(_delete_=True, type='PartMemory', num_parts=3)
    ),
)
default_hooks = dict(
    cluster_memory=dict(clusterer=dict(eps=0.5)),
    batch_norm_groups=dict(samples_per_bn=16),  # 64 images on 4 GPUs
)
