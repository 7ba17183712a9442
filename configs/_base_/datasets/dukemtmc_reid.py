# Withdrawn by its authors: see mmreid_cc.datasets.DukeMTMCreID.
_base_ = 'reid_256x128.py'

train_dataloader = dict(
    dataset=dict(type='DukeMTMCreID', data_root='data/dukemtmc_reid'),
    sampler=dict(iters_per_epoch=200),
)
val_dataloader = dict(dataset=dict(type='DukeMTMCreID', data_root='data/dukemtmc_reid'))
test_dataloader = val_dataloader
