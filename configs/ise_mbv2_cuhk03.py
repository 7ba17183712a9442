# As cc_mbv2_cuhk03.py, by ISE.
_base_ = 'cc_mbv2_cuhk03.py'

model = dict(head=dict(memory=dict(_delete_=True, type='ExtendedMemory')))
