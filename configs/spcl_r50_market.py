# SpCL: clusters and un-clustered images, in a memory that lasts from epoch to epoch.
_base_ = 'cc_r50_market.py'

memory = dict(_delete_=True, type='HybridMemory', momentum=0.2, temperature=0.05)
model = dict(
    neck=dict(_delete_=True, type='GlobalAveragePooling'), head=dict(memory=memory)
)
train_dataloader = dict(
    batch_size=64,
    sampler=dict(
        type='HybridSampler', num_clusters=16, num_instances=4, iters_per_epoch=400
    ),
)
clusterer = dict(_delete_=True, type='SelfPacedDBSCAN', eps=0.6, eps_gap=0.02)
default_hooks = dict(
    cluster_memory=dict(clusterer=clusterer),
    batch_norm_groups=dict(samples_per_bn=16),  # 64 images on 4 GPUs
)
