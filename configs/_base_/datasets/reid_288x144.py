# As reid_256x128.py, at the size that is usual for visible and infrared images.
_base_ = 'reid_256x128.py'

image_size = (288, 144)  # height, width
resize = dict(_base_.resize, scale=image_size[::-1])
train_pipeline = _base_.train_pipeline
train_pipeline[1] = resize
train_pipeline[3].update(crop_size=image_size)
test_pipeline = _base_.test_pipeline
test_pipeline[1] = resize

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
