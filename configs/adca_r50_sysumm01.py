# ADCA: memories of both modalities, a second view of one channel, and from the middle
# of the training on clusters that are aggregated across modalities.
_base_ = [
    '_base_/datasets/sysumm01.py',
    '_base_/models/cc_r50.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

# Erased by the values of its public code, which are written after the normalisation.
train_pipeline = _base_.train_pipeline
train_pipeline[4].update(fill_color=(129, 144, 152))
plain = train_pipeline[2:-1]
one_channel = [*plain, dict(type='ChannelAugmentation')]
views = dict(type='MultiView', num_views=[1, 1], transforms=[plain, one_channel])
train_pipeline[2:-1] = [views]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline), collate_fn=dict(type='collate_views')
)

memory = dict(
    _delete_=True,
    type='AggregatedMemory',
    infrared_cameras=_base_.infrared_cameras,
    momentum=0.1,
)
model = dict(type='MultiViewClassifier', num_views=2, head=dict(memory=memory))
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=4, k1=30, k2=6)
default_hooks = dict(
    cluster_memory=dict(
        clusterer=dict(
            _delete_=True,
            type='ByModality',
            infrared_cameras=_base_.infrared_cameras,
            clusterer=clusterer,
        )
    ),
    batch_norm_groups=dict(samples_per_bn=128),  # 512 views on 4 GPUs
)

# Two stages of 50 epochs; the second one begins with the first rate again.
param_scheduler = [
    dict(type='MultiStepLR', milestones=[20, 40, 70, 90], gamma=0.1, by_epoch=True),
    dict(type='MultiStepLR', milestones=[50], gamma=100, by_epoch=True),
]
train_cfg = dict(max_epochs=100)
