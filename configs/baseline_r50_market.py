# The strong baseline of Luo et al. (CVPR workshops 2019): with identities, 64 images
# in a batch. An epoch is about as long as the training set.
_base_ = [
    '_base_/datasets/market1501.py',
    '_base_/models/baseline_r50.py',
    '_base_/schedules/adam_120e.py',
    '_base_/supervised_runtime.py',
]

train_dataloader = dict(
    batch_size=64,
    dataset=dict(type='LabelledReID', dataset=dict(type='Market1501')),
    sampler=dict(type='RandomIdentitySampler', num_instances=4, iters_per_epoch=200),
)
