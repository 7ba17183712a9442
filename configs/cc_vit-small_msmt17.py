# As msmt_usl.sh of TransReID-SSL, which trains on 2 GPUs ("high performance can be
# achieved on MSMT with 2 GPUs"): eps 0.7, 128 images on each, and 200 iterations an
# epoch here, too.
_base_ = 'cc_vit-small_market.py'

data = dict(type='MSMT17', data_root='data/msmt17')
train_dataloader = dict(dataset=data)
val_dataloader = dict(dataset=data)
test_dataloader = val_dataloader
default_hooks = dict(
    cluster_memory=dict(clusterer=dict(eps=0.7)),
    batch_norm_groups=dict(samples_per_bn=128),
)
