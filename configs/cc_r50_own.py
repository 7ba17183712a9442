# Crops of your own: python tools/train.py configs/cc_r50_own.py --data-root crops/
_base_ = [
    '_base_/datasets/own_256x128.py',
    '_base_/models/cc_r50.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

val_cfg = None
clusterer = dict(_delete_=True, type='AutoDBSCAN')
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
