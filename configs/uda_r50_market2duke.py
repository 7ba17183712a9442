# Market-1501 with labels → DukeMTMC-reID without.
_base_ = 'cc_r50_duke.py'

load_from = 'work_dirs/baseline_r50_market/epoch_120.pth'
model = dict(backbone=dict(init_cfg=None))
