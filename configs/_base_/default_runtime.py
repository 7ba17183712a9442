default_scope = 'mmreid_cc'

default_hooks = dict(
    # Pseudo labels and a fresh memory before every epoch.
    cluster_memory=dict(
        type='ClusterMemoryHook',
        clusterer=dict(type='DBSCAN', eps=0.6, min_samples=4, k1=30, k2=6),
    ),
    # 256 images on 4 GPUs in the reference. Without it, results depend on the number of
    # processes.
    batch_norm_groups=dict(type='BatchNormGroupsHook', samples_per_bn=64),
    # Images stay in memory after decoding and resizing, if a quarter of it has room.
    image_cache=dict(type='ImageCacheHook', share=0.25),
    # Channels last for convolutional networks; the same results, faster.
    computation=dict(type='ComputationHook'),
    runtime_info=dict(type='RunAheadHook'),
    step_slots=dict(type='StepSlotsHook'),
    iter_seed=dict(type='IterSeedHook'),
    invalid_loss=dict(type='InvalidLossHook'),
    weight_check=dict(type='WeightCheckHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # `save_best` looks at the test set, as all published results do: report the last
    # checkpoint as well.
    checkpoint=dict(
        type='AtomicCheckpointHook', interval=1, max_keep_ckpts=2, save_best='reid/mAP'
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    # The network may round the inputs of convolutions and products to 10 bits on a GPU
    # that can; memory, search and ranking never do. docs/performance.md
    tf32=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # The other processes wait while one of them clusters: 2 hours, in seconds.
    dist_cfg=dict(backend='nccl', timeout=7200),
)

vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends)
log_level = 'INFO'

load_from = None
resume = False
randomness = dict(seed=1)
