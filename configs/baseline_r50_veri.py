_base_ = [
    '_base_/datasets/veri776.py',
    '_base_/models/baseline_r50.py',
    '_base_/schedules/adam_120e.py',
    '_base_/supervised_runtime.py',
]

# Copies of the set differ: 575 or 576.
model = dict(head=dict(num_classes=576))
train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='LabelledReID', dataset=dict(type='VeRi776')),
    sampler=dict(type='RandomIdentitySampler', num_instances=4, iters_per_epoch=590),
)
