# As cuhk03.py, at the usual size.
_base_ = 'cuhk03.py'

resize = dict(_base_.resize, scale=(128, 256))  # width, height
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1] = test_pipeline[1] = resize

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
