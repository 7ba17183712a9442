# As adam_50e.py, with SGD.
_base_ = 'adam_50e.py'

optim_wrapper = dict(
    optimizer=dict(
        _delete_=True, type='SGD', lr=3.5e-4, momentum=0.9, weight_decay=5e-4
    )
)
