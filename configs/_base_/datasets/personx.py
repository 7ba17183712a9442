_base_ = 'reid_256x128.py'

train_dataloader = dict(
    dataset=dict(type='PersonX', data_root='data/personx'),
    sampler=dict(iters_per_epoch=200),
)
val_dataloader = dict(dataset=dict(type='PersonX', data_root='data/personx'))
test_dataloader = val_dataloader
