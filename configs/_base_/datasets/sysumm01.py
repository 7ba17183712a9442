# Infrared queries, visible gallery: the all-search, single-shot setting. Half of each
# batch is visible, half infrared.
_base_ = 'reid_288x144.py'

infrared_cameras = (3, 6)
train_dataloader = dict(
    dataset=dict(type='SYSUMM01', data_root='data/SYSU-MM01'),
    sampler=dict(type='ModalityBalancedSampler', infrared_cameras=infrared_cameras),
)
val_dataloader = dict(
    dataset=dict(type='SYSUMM01', data_root='data/SYSU-MM01', search='all')
)
test_dataloader = val_dataloader

val_evaluator = dict(type='SYSUMetric', shots=1)
test_evaluator = val_evaluator
