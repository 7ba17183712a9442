# The ablations of Cluster Contrast (arXiv 2103.11568) on drawn pedestrians:
# `python tools/analysis_tools/ablate.py configs/ablations/paper_synthetic.py`.
config = 'configs/cc_r18_synthetic.py'
seeds = [1, 2]

options = {'default_hooks.checkpoint.max_keep_ckpts': 1, 'train_cfg.max_epochs': 5}

groups = {
    'memory': {
        'cluster': {},
        'instance': {'model.head.memory': dict(_delete_=True, type='InstanceMemory')},
    },
    'momentum': {
        str(m): {'model.head.memory.momentum': m}
        for m in (0.0, 0.1, 0.2, 0.5, 0.9, 0.99)
    },
    'update': {
        'momentum': {},
        'hard': {'model.head.memory.update': 'hard'},
    },
    'initialisation': {
        'centroid': {},
        'sample': {'model.head.memory.init': 'sample'},
    },
    'pooling': {
        'GeM': {},
        'average': {'model.neck': dict(_delete_=True, type='GlobalAveragePooling')},
    },
    'clusterer': {
        'AutoDBSCAN': {},
        'InfoMap': {
            'default_hooks.cluster_memory.clusterer': dict(
                _delete_=True, type='InfoMap', k=10
            )
        },
        'KMeans': {
            'default_hooks.cluster_memory.clusterer': dict(
                _delete_=True, type='KMeans', n_clusters=100
            )
        },
        'Agglomerative': {
            'default_hooks.cluster_memory.clusterer': dict(
                _delete_=True,
                type='Agglomerative',
                distance_threshold=0.55,
                k1=10,
                k2=3,
            )
        },
    },
    # P × K images in a batch.
    'batch': {
        f'{p} × {k}': {
            'train_dataloader.batch_size': p * k,
            'train_dataloader.sampler.num_clusters': p,
            'train_dataloader.sampler.num_instances': k,
        }
        for p, k in ((8, 4), (16, 4), (32, 4), (32, 2), (8, 8), (16, 8))
    },
}
