# Vehicles are as wide as they are tall.
_base_ = 'reid_256x128.py'

resize = dict(_base_.resize, scale=(224, 224))  # width, height
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1] = test_pipeline[1] = resize

dataset = dict(type='VeRi776', data_root='data/veri776')
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, **dataset),
    sampler=dict(iters_per_epoch=400),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, **dataset))
test_dataloader = val_dataloader
