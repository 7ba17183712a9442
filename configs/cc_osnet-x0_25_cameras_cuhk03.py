# Camera-biased data: camera means, neighbours by camera, and proxies beside centroids,
# all together. Average linkage leaves fewer images out than DBSCAN does.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

cameras = dict(k1_intra=5, k1_inter=5, k2_intra=3, k2_inter=3)
clusterer = dict(
    _delete_=True, type='Agglomerative', distance_threshold=0.8, cameras=cameras
)
default_hooks = dict(
    cluster_memory=dict(camera_normalization='mean', clusterer=clusterer)
)
memory = dict(_delete_=True, type='CameraProxyMemory', cluster_weight=1.0)
model = dict(head=dict(memory=memory))
