# Drawn pedestrians, small enough for a CPU.
_base_ = 'reid_128x64.py'

train_dataloader = dict(
    batch_size=64,
    num_workers=2,
    dataset=dict(type='SyntheticReID', data_root='data/synthetic'),
    sampler=dict(num_clusters=16, num_instances=4, iters_per_epoch=30),
)
val_dataloader = dict(
    batch_size=128,
    num_workers=2,
    dataset=dict(type='SyntheticReID', data_root='data/synthetic'),
)
test_dataloader = val_dataloader
