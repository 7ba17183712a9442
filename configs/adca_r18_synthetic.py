# As cc_r18_infrared_synthetic.py, by ADCA, with as many images in a batch.
_base_ = 'cc_r18_infrared_synthetic.py'

infrared_cameras = (5, 6)
train_pipeline = _base_.train_pipeline
plain = train_pipeline[2:-1]
one_channel = [*plain, dict(type='ChannelAugmentation')]
views = dict(type='MultiView', num_views=[1, 1], transforms=[plain, one_channel])
train_pipeline[2:-1] = [views]
train_dataloader = dict(
    batch_size=32,  # of two views each
    dataset=dict(pipeline=train_pipeline),
    sampler=dict(
        type='ModalityBalancedSampler',
        infrared_cameras=infrared_cameras,
        num_instances=2,
    ),
    collate_fn=dict(type='collate_views'),
)

memory = dict(_delete_=True, type='AggregatedMemory', infrared_cameras=infrared_cameras)
model = dict(type='MultiViewClassifier', num_views=2, head=dict(memory=memory))
clusterer = dict(
    _delete_=True,
    type='ByModality',
    infrared_cameras=infrared_cameras,
    clusterer=dict(type='AutoDBSCAN'),
)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
