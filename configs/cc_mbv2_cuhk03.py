_base_ = [
    '_base_/datasets/cuhk03.py',
    '_base_/models/cc_mbv2.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

train_cfg = dict(max_epochs=6, val_interval=1)
default_hooks = dict(logger=dict(interval=10))
custom_hooks = [dict(type='InitialValidationHook')]
