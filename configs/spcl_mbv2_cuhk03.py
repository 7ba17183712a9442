# As cc_mbv2_cuhk03.py, by SpCL.
_base_ = 'cc_mbv2_cuhk03.py'

model = dict(head=dict(memory=dict(_delete_=True, type='HybridMemory')))
train_dataloader = dict(sampler=dict(type='HybridSampler'))
clusterer = dict(_delete_=True, type='SelfPacedDBSCAN')
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
