# Cluster Contrast as TransReID-SSL (arXiv 2111.12084) runs it: the figures are those of
# its market_usl.sh and the defaults of its trainer.
_base_ = [
    '_base_/datasets/market1501.py',
    '_base_/models/cc_vit-small.py',
    '_base_/schedules/sgd_50e.py',
    '_base_/default_runtime.py',
]

train_pipeline = [
    dict(type='LoadReIDImage'),
    {{_base_.resize}},
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PadAndCrop', padding=10),
    # 0.485, 0.456, 0.406 written after its normalisation, as BGR.
    dict(type='ReIDRandomErasing', prob=0.5, fill_color=(179, 186, 189)),
    dict(type='PackInputs', meta_keys=('sample_idx', 'img_path')),
]
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline),
    sampler=dict(num_clusters=32, num_instances=8),
)
