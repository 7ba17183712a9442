# As cc_r18_synthetic.py, by CAP.
_base_ = 'cc_r18_synthetic.py'

model = dict(head=dict(memory=dict(_delete_=True, type='CameraProxyMemory')))
train_dataloader = dict(sampler=dict(type='ProxyBalancedSampler'))
