# As reid_256x128.py, for square images: vehicles.
_base_ = 'reid_256x128.py'

image_size = (224, 224)  # height, width
resize = dict(type='Resize', scale=image_size[::-1], backend='pillow')
resize.update(interpolation='bicubic')

train_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='RandomCrop', crop_size=image_size, padding=10),
    dict(type='ReIDRandomErasing', prob=0.5),
    dict(type='PackInputs', meta_keys=('sample_idx', 'img_path')),
]
test_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(
        type='PackInputs',
        meta_keys=('sample_idx', 'img_path', 'pid', 'cam_id', 'is_query'),
    ),
]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
