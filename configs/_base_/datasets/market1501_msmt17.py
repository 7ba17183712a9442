# Two data sets as one, each of which is tested on its own.
# `--data-root` is the folder of both.
_base_ = 'reid_256x128.py'

dataset = dict(
    type='JointReID',
    data_root='data',
    datasets=dict(
        market=dict(type='Market1501', data_root='market1501'),
        msmt17=dict(type='MSMT17', data_root='msmt17'),
    ),
)
train_dataloader = dict(dataset=dataset, sampler=dict(iters_per_epoch=400))
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

val_evaluator = dict(type='JointReIDMetric')
test_evaluator = val_evaluator
