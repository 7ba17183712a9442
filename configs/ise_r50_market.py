# ISE: samples between clusters, and a loss that keeps them with their images.
_base_ = 'cc_r50_market.py'

model = dict(
    neck=dict(_delete_=True, type='GlobalAveragePooling'),
    head=dict(memory=dict(_delete_=True, type='ExtendedMemory')),
)
train_dataloader = dict(sampler=dict(iters_per_epoch=400))
default_hooks = dict(cluster_memory=dict(clusterer=dict(eps=0.4)))

param_scheduler = dict(step_size=30)
train_cfg = dict(max_epochs=70)
