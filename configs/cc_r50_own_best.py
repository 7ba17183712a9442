# Crops of your own, and no test set: the best weights are those whose clusters are the
# best separated, and training ends when they no longer improve.
_base_ = 'cc_r50_own.py'

val_cfg = dict(_delete_=True)
val_dataloader = dict(
    _delete_=True,
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ReIDImageFolder', data_root='data/own', pipeline={{_base_.test_pipeline}}
    ),
)
val_evaluator = dict(_delete_=True, type='ClusterMetric')
train_cfg = dict(val_interval=1)
default_hooks = dict(
    checkpoint=dict(save_best='cluster/silhouette', rule='greater'),
    early_stopping=dict(
        type='EarlyStoppingHook',
        monitor='cluster/silhouette',
        rule='greater',
        patience=10,
    ),
)
