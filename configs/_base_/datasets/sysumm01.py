# Infrared queries, visible gallery: the all-search, single-shot setting. Half of each
# batch is visible, half infrared.
_base_ = 'reid_256x128.py'

resize = dict(_base_.resize, scale=(144, 288))  # width, height
train_pipeline, test_pipeline = _base_.train_pipeline, _base_.test_pipeline
train_pipeline[1] = test_pipeline[1] = resize

infrared_cameras = (3, 6)
dataset = dict(type='SYSUMM01', data_root='data/SYSU-MM01')
train_dataloader = dict(
    dataset=dict(pipeline=train_pipeline, **dataset),
    sampler=dict(type='ModalityBalancedSampler', infrared_cameras=infrared_cameras),
)
val_dataloader = dict(dataset=dict(pipeline=test_pipeline, search='all', **dataset))
test_dataloader = val_dataloader

val_evaluator = dict(type='SYSUMetric', shots=1)
test_evaluator = val_evaluator
