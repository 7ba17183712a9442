# PersonX with labels → MSMT17 without.
_base_ = 'cc_r50_msmt17.py'

load_from = 'work_dirs/baseline_r50_personx/epoch_120.pth'
model = dict(backbone=dict(init_cfg=None))
