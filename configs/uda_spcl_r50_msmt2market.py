# MSMT17 with labels and Market-1501 without, both in one training, by SpCL.
# `--data-root` is the folder of both.
_base_ = 'spcl_r50_market.py'

dataset = dict(
    _delete_=True,
    type='AdaptationReID',
    data_root='data',
    target=dict(type='Market1501', data_root='market1501'),
    sources=dict(msmt17=dict(type='MSMT17', data_root='msmt17')),
)
train_dataloader = dict(
    batch_size=128,  # 64 of the target, then 64 of the source
    dataset=dict(split='train', pipeline={{_base_.train_pipeline}}, **dataset),
    sampler=dict(num_clusters=32),
)
val_dataloader = dict(
    dataset=dict(split='test', pipeline={{_base_.test_pipeline}}, **dataset)
)
test_dataloader = val_dataloader
