_base_ = [
    '_base_/datasets/msmt17.py',
    '_base_/models/baseline_r50.py',
    '_base_/schedules/adam_120e.py',
    '_base_/supervised_runtime.py',
]

model = dict(head=dict(num_classes=1041))
train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='LabelledReID', dataset=dict(type='MSMT17')),
    sampler=dict(type='RandomIdentitySampler', num_instances=4, iters_per_epoch=510),
)
