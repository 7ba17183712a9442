# PersonX with labels → Market-1501 without.
_base_ = 'cc_r50_market.py'

load_from = 'work_dirs/baseline_r50_personx/epoch_120.pth'
model = dict(backbone=dict(init_cfg=None))
