# What `make demo` trains: from scratch, in minutes, on a CPU.
_base_ = [
    '_base_/datasets/synthetic.py',
    '_base_/models/cc_r18.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

train_cfg = dict(max_epochs=8, val_interval=1)
default_hooks = dict(logger=dict(interval=10))
custom_hooks = [dict(type='InitialValidationHook')]
