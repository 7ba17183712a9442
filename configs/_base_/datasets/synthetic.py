# Drawn pedestrians, small enough for a CPU. A network that is trained from scratch must
# learn that cameras differ in colour, so the colours are jittered.
_base_ = 'reid_256x128.py'

resize = dict(_base_.resize, scale=(32, 64))  # width, height
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1] = test_pipeline[1] = resize
train_pipeline[3].update(padding=5)
jitter = dict(brightness=0.3, contrast=0.3, saturation=0.3, hue=0.03)
train_pipeline.insert(3, dict(type='ColorJitter', backend='cv2', **jitter))

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
