# Camera-biased data: a vector for each cluster and camera (CAP).
_base_ = 'cc_osnet-x0_25_cuhk03.py'

memory = dict(_delete_=True, type='CameraProxyMemory')
model = dict(head=dict(memory=memory))
