# PGM: clusters of both modalities matched as a graph, and contrasted across modalities
# by turns, from the middle of the training on.
_base_ = 'adca_r50_sysumm01.py'

jitter = dict(brightness=0.5, contrast=0.5, saturation=0.5, hue=0.5)
train_pipeline = _base_.train_pipeline
flip, crop, erasing, exchange = train_pipeline[2].transforms[1]
train_pipeline[2].transforms[1] = [
    flip,
    crop,
    dict(type='ColorJitter', backend='cv2', **jitter),
    erasing,
    exchange,
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

memory = dict(
    _delete_=True,
    type='GraphMatchedMemory',
    infrared_cameras=_base_.infrared_cameras,
    momentum=0.2,
    update='hard',
)
model = dict(head=dict(memory=memory))
