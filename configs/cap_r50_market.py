# CAP: camera proxies, and batches in which all of them come equally often.
_base_ = 'cc_r50_market.py'

memory = dict(_delete_=True, type='CameraProxyMemory')
model = dict(
    neck=dict(_delete_=True, type='GlobalAveragePooling'), head=dict(memory=memory)
)
train_dataloader = dict(
    batch_size=32,
    sampler=dict(
        type='ProxyBalancedSampler',
        num_clusters=8,
        num_instances=4,
        iters_per_epoch=400,  # a pass over the training set, as in the paper
    ),
)
default_hooks = dict(
    cluster_memory=dict(clusterer=dict(eps=0.5, k1=20)),
    batch_norm_groups=dict(samples_per_bn=32),
)

param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=10, by_epoch=True),
    dict(type='MultiStepLR', milestones=[20, 40], gamma=0.1, by_epoch=True),
]
