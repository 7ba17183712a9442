_base_ = 'reid_256x128.py'

train_dataloader = dict(
    dataset=dict(type='MSMT17', data_root='data/msmt17'),
    sampler=dict(iters_per_epoch=400),
)
val_dataloader = dict(dataset=dict(type='MSMT17', data_root='data/msmt17'))
test_dataloader = val_dataloader
