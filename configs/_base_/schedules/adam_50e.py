# Adam for 50 epochs, a tenth of the learning rate every 20.
optimizer = dict(type='Adam', lr=3.5e-4, weight_decay=5e-4, fused=True)
optim_wrapper = dict(optimizer=optimizer)
param_scheduler = dict(type='StepLR', step_size=20, gamma=0.1, by_epoch=True)

train_cfg = dict(by_epoch=True, max_epochs=50, val_interval=10)
val_cfg = dict()
test_cfg = dict()
