# Cameras that differ, without tracks: clusters of each camera take their place, with
# settings that are found without identities. They are linked across cameras, and each
# has its own vector.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

train_dataloader = dict(sampler=dict(num_clusters=16, num_instances=4))
clusterer = dict(_delete_=True, type='ByCamera')
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
memory = dict(_delete_=True, type='CameraProxyMemory', inter_weight=1.0)
model = dict(head=dict(memory=memory))

param_scheduler = dict(step_size=5)  # in longer runs it falls from epoch 6 on
