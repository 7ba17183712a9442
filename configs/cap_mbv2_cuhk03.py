# As cc_mbv2_cuhk03.py, by CAP.
_base_ = 'cc_mbv2_cuhk03.py'

model = dict(head=dict(memory=dict(_delete_=True, type='CameraProxyMemory')))
train_dataloader = dict(sampler=dict(type='ProxyBalancedSampler'))
