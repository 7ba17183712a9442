# CUHK03 "labeled" crops, re-packed into the folders and file names of Market-1501.
_base_ = 'reid_128x64.py'

train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='ReIDDataset', data_root='data/cuhk03'),
    sampler=dict(num_clusters=8, num_instances=8, iters_per_epoch=40),
)
val_dataloader = dict(dataset=dict(type='ReIDDataset', data_root='data/cuhk03'))
test_dataloader = val_dataloader

# The set has two cameras of quite different looks: the Market protocol (across cameras)
# is hard on it, so the numbers without exclusion are reported, too.
val_evaluator = [
    dict(type='ReIDMetric'),
    dict(type='ReIDMetric', exclude_same_camera=False, prefix='all'),
]
test_evaluator = val_evaluator
