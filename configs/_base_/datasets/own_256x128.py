# Crops of one's own: a folder, and nothing known of them. There is no test set; the
# loader of one defines how images are prepared, and is used by tools/test.py.
_base_ = 'reid_256x128.py'

dataset = dict(type='ReIDImageFolder', data_root='data/own')
# 256 images; P and K are chosen by the sizes of the clusters.
train_dataloader = dict(dataset=dataset, sampler=dict(adapt_instances=True))
test_dataloader = dict(dataset=dataset)
val_dataloader = None

val_evaluator = None
test_evaluator = dict(exclude_same_camera=False)
