# As cc_r18_synthetic.py, by MMT: two networks from different random weights.
_base_ = 'cc_r18_synthetic.py'

network = dict(type='ResNet', depth=18, strides=(1, 2, 2, 1))
network.update(stem_channels=32, base_channels=32)
model = dict(
    type='MutualClassifier',
    backbone=dict(_delete_=True, type='Twins', networks=[network, network]),
    head=dict(in_channels=512, memory=dict(_delete_=True, type='MutualMemory')),
)
custom_hooks = [dict(type='InitialValidationHook'), dict(type='TeacherHook')]
