# As cc_r18_synthetic.py, by ISE.
_base_ = 'cc_r18_synthetic.py'

model = dict(head=dict(memory=dict(_delete_=True, type='ExtendedMemory')))
