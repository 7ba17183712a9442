_base_ = 'reid_256x128.py'

train_dataloader = dict(
    dataset=dict(type='Market1501', data_root='data/market1501'),
    sampler=dict(iters_per_epoch=200),
)
val_dataloader = dict(dataset=dict(type='Market1501', data_root='data/market1501'))
test_dataloader = val_dataloader
