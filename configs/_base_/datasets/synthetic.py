# Drawn pedestrians, small enough for a CPU. Trained from scratch, a network must be
# told that cameras differ in colour: hence the jitter, which the reference lacks.
_base_ = 'reid_128x64.py'

image_size = (64, 32)  # height, width
resize = dict(type='Resize', scale=image_size[::-1], backend='pillow')
resize.update(interpolation='bicubic')

jitter = dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.03)

train_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ColorJitter', backend='cv2', **jitter),
    dict(type='RandomCrop', crop_size=image_size, padding=5),
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

dataset = dict(type='SyntheticReID', data_root='data/synthetic')
train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    pin_memory=False,
    dataset=dict(pipeline=train_pipeline, **dataset),
    sampler=dict(num_clusters=16, num_instances=4, iters_per_epoch=50),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=2,
    pin_memory=False,
    dataset=dict(pipeline=test_pipeline, **dataset),
)
test_dataloader = val_dataloader
