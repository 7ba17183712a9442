# Adam for 120 epochs: warm-up from a tenth of the learning rate in the first 10, a
# tenth of it from epoch 41, a hundredth from epoch 71.
optimizer = dict(type='Adam', lr=3.5e-4, weight_decay=5e-4, fused=True)
optim_wrapper = dict(optimizer=optimizer)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, begin=0, end=10, by_epoch=True),
    dict(type='MultiStepLR', milestones=[40, 70], gamma=0.1, by_epoch=True),
]

train_cfg = dict(by_epoch=True, max_epochs=120, val_interval=10)
val_cfg = dict()
test_cfg = dict()
