# As own_256x128.py, for small images and quick runs.
_base_ = 'reid_128x64.py'

dataset = dict(type='ReIDImageFolder', data_root='data/own')
train_dataloader = dict(
    batch_size=64,
    dataset=dataset,
    sampler=dict(
        num_clusters=8, num_instances=8, iters_per_epoch=40, adapt_instances=True
    ),
)
test_dataloader = dict(dataset=dataset)
val_dataloader = None

val_evaluator = None
test_evaluator = dict(exclude_same_camera=False)
