# As cc_mbv2_cuhk03.py, by PPLR.
_base_ = 'cc_mbv2_cuhk03.py'

model = dict(
    neck=dict(_delete_=True, type='PartPooling'),
    head=dict(in_channels=5120, memory=dict(_delete_=True, type='PartMemory')),
)
