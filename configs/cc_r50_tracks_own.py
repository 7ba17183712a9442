# Crops of your own videos, in the folder that video_to_crops.py wrote:
# python tools/train.py configs/cc_r50_tracks_own.py --data-root crops/
_base_ = 'cc_r50_own.py'

train_dataloader = dict(dataset=dict(train='crops.csv'), sampler=dict(track_aware=True))
clusterer = dict(_delete_=True, type='Tracklets', split=True)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
# With one camera it is ClusterMemory.
memory = dict(_delete_=True, type='CameraProxyMemory')
model = dict(head=dict(memory=memory))
