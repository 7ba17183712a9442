# Camera-biased data: the mean of each camera is taken out of what is clustered.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

default_hooks = dict(cluster_memory=dict(camera_normalization='mean'))
