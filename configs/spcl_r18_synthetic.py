# As cc_r18_synthetic.py, by SpCL.
_base_ = 'cc_r18_synthetic.py'

model = dict(head=dict(memory=dict(_delete_=True, type='HybridMemory')))
train_dataloader = dict(sampler=dict(type='HybridSampler'))
clusterer = dict(_delete_=True, type='SelfPacedDBSCAN', eps=0.6, k1=20)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
