# Crops of your own, without a GPU: small images and a small network.
_base_ = [
    '_base_/datasets/own_128x64.py',
    '_base_/models/cc_mbv2.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

val_cfg = None
train_cfg = dict(max_epochs=15)
param_scheduler = dict(step_size=10)
clusterer = dict(_delete_=True, type='AutoDBSCAN')
default_hooks = dict(cluster_memory=dict(clusterer=clusterer), logger=dict(interval=10))
