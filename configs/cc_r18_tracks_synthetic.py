# What `make demo-video` trains: crops of drawn videos, with the tracks of a tracker
# that makes mistakes. A track is split if it has switched to another person, and tracks
# of the same time are different people.
_base_ = 'cc_r18_synthetic.py'

dataset = dict(type='SyntheticScene', data_root='data/scene')
train_dataloader = dict(dataset=dataset, sampler=dict(iters_per_epoch=40))
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

tracks = dict(type='DBSCAN', eps=0.45, min_samples=2, k1=6, k2=2)
clusterer = dict(
    _delete_=True,
    type='Tracklets',
    clusterer=tracks,
    same_time='separate_cameras',
    split=True,
)
default_hooks = dict(
    cluster_memory=dict(clusterer=clusterer, camera_normalization='mean')
)
memory = dict(_delete_=True, type='CameraProxyMemory')
model = dict(head=dict(memory=memory))
train_cfg = dict(max_epochs=6)
