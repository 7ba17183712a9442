_base_ = [
    '_base_/datasets/msmt17.py',
    '_base_/models/cc_r50ibn.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]
