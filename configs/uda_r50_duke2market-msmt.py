# DukeMTMC-reID with labels → Market-1501 and MSMT17 without, both at once.
_base_ = [
    '_base_/datasets/market1501_msmt17.py',
    '_base_/models/cc_r50.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

load_from = 'work_dirs/baseline_r50_duke/epoch_120.pth'
model = dict(backbone=dict(init_cfg=None))
