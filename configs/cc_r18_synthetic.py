# What `make demo` trains: from scratch, in minutes, on a CPU.
_base_ = [
    '_base_/datasets/synthetic.py',
    '_base_/models/cc_r18.py',
    '_base_/schedules/adam_50e.py',
    '_base_/default_runtime.py',
]

# Settings of the clustering are found from the images, without labels.
clusterer = dict(_delete_=True, type='AutoDBSCAN')
default_hooks = dict(
    cluster_memory=dict(clusterer=clusterer),
    # Whole groups in one process or two.
    batch_norm_groups=dict(samples_per_bn=32),
    logger=dict(interval=10),
)
custom_hooks = [dict(type='InitialValidationHook')]
# From random weights, not from pre-trained ones as in the recipe of the paper.
optim_wrapper = dict(optimizer=dict(lr=3e-3))
train_cfg = dict(max_epochs=5, val_interval=1)
