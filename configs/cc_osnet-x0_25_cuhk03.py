# Start from torchreid's weights, converted by tools/model_converters/convert.py:
# `--cfg-options load_from=osnet.pth`.
_base_ = [
    '_base_/datasets/cuhk03_256x128.py',
    '_base_/models/cc_osnet-x0_25.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

train_cfg = dict(max_epochs=4, val_interval=1)
default_hooks = dict(logger=dict(interval=10))
custom_hooks = [dict(type='InitialValidationHook')]
