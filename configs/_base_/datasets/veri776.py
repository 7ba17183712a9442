_base_ = 'reid_224x224.py'

train_dataloader = dict(
    dataset=dict(type='VeRi776', data_root='data/veri776'),
    sampler=dict(iters_per_epoch=400),
)
val_dataloader = dict(dataset=dict(type='VeRi776', data_root='data/veri776'))
test_dataloader = val_dataloader
