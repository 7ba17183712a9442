# As cc_r18_synthetic.py, by PPLR.
_base_ = 'cc_r18_synthetic.py'

model = dict(
    neck=dict(_delete_=True, type='PartPooling'),
    head=dict(in_channels=1024, memory=dict(_delete_=True, type='PartMemory')),
)
