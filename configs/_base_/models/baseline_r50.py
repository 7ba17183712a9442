# The network of cc_r50.py, trained with identities: the upper bound of training
# without. The paper of the baseline has average pooling in place of GeM.
_base_ = 'cc_r50.py'

model = dict(
    head=dict(
        _delete_=True,
        type='ReIDHead',
        in_channels=2048,
        num_classes=751,  # of Market-1501
        label_smoothing=0.1,
        margin=0.3,
    )
)
