# The loaders that all re-ID data sets share, with the reference's pixels: bicubic
# resize by Pillow, flip, pad by 10 and crop, erasing. A data set adds its `type` and
# `data_root`.
resize = dict(
    type='Resize',
    scale=(128, 256),  # width, height
    backend='pillow',
    interpolation='bicubic',
)

train_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PadAndCrop', padding=10),
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

train_dataloader = dict(
    batch_size=256,  # of all processes together; tools/train.py shares it among them
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(split='train', pipeline=train_pipeline),
    sampler=dict(
        type='RandomMultipleGallerySampler',
        num_clusters=16,
        num_instances=16,
        iters_per_epoch=200,
    ),
    collate_fn=dict(type='default_collate'),
)
val_dataloader = dict(
    batch_size=256,  # of each process
    num_workers=4,
    persistent_workers=True,
    pin_memory=True,
    dataset=dict(split='test', pipeline=test_pipeline),
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='ReIDMetric')
test_evaluator = val_evaluator
