# Camera-biased data, with settings that are found without identities.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

clusterer = dict(_delete_=True, type='AutoAgglomerative')
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
memory = dict(_delete_=True, type='CameraProxyMemory', cluster_weight=1.0)
model = dict(head=dict(memory=memory))
