# As adca_r18_synthetic.py, by PGM.
_base_ = 'adca_r18_synthetic.py'

memory = dict(
    _delete_=True,
    type='GraphMatchedMemory',
    infrared_cameras=_base_.infrared_cameras,
)
model = dict(head=dict(memory=memory))
