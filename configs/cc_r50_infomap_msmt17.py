_base_ = 'cc_r50_msmt17.py'

infomap = dict(type='InfoMap', k=15, min_similarity=0.5, min_cluster_size=5)
default_hooks = dict(cluster_memory=dict(clusterer=dict(_delete_=True, **infomap)))
