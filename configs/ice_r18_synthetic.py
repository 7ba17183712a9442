# As cc_r18_synthetic.py, by ICE.
_base_ = 'cc_r18_synthetic.py'

image_size = (64, 32)  # height, width
resize = dict(type='Resize', scale=image_size[::-1], backend='pillow')
resize.update(interpolation='bicubic')
jitter = dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.03)

strong = [
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ColorJitter', backend='cv2', **jitter),
    dict(type='RandomCrop', crop_size=image_size, padding=5),
    dict(type='ReIDRandomErasing', prob=0.5),
]
train_pipeline = [
    dict(type='LoadReIDImage'),
    resize,
    dict(type='MultiView', num_views=[2, 1], transforms=[strong, []]),
    dict(type='PackInputs', meta_keys=('sample_idx', 'img_path')),
]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline), collate_fn=dict(type='collate_views')
)

memory = dict(
    _delete_=True,
    type='InterInstanceMemory',
    intra_weight=0,
    cluster_weight=1,
    positives='separate',
)
model = dict(type='TaughtClassifier', head=dict(memory=memory))
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
