# As cc_r18_synthetic.py, with two infrared cameras: their images are searched for among
# those of the others, which takes more epochs to learn.
_base_ = 'cc_r18_synthetic.py'

dataset = dict(data_root='data/synthetic_infrared', infrared=2)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = val_dataloader

train_cfg = dict(max_epochs=15)
