# Tracks as supervision: CUHK03 has no videos, so the images of a person in one camera
# serve as a track. Tracks are linked across cameras, and each has its own vector.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

train_dataloader = dict(
    dataset=dict(
        type='ReIDImageFolder',
        train='bounding_box_train',
        query='query',
        gallery='bounding_box_test',
        pattern=r'^(?P<track>(?P<pid>\d+))_c(?P<cam>\d)',
    ),
    sampler=dict(num_clusters=16, num_instances=4),  # a track has five images
)
clusterer = dict(
    _delete_=True,
    type='Tracklets',
    clusterer=dict(type='CameraMatching'),
    whiten=True,
)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
memory = dict(_delete_=True, type='CameraProxyMemory', inter_weight=1.0)
model = dict(head=dict(memory=memory))

train_cfg = dict(max_epochs=15)
param_scheduler = dict(step_size=5)  # at the full rate it falls from epoch 6 on
