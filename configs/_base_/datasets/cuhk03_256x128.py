# As cuhk03.py, at the usual size.
_base_ = 'reid_256x128.py'

train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='ReIDDataset', data_root='data/cuhk03'),
    sampler=dict(num_clusters=8, num_instances=8, iters_per_epoch=40),
)
val_dataloader = dict(dataset=dict(type='ReIDDataset', data_root='data/cuhk03'))
test_dataloader = val_dataloader

val_evaluator = [
    dict(type='ReIDMetric'),
    dict(type='ReIDMetric', exclude_same_camera=False, prefix='all'),
]
test_evaluator = val_evaluator
