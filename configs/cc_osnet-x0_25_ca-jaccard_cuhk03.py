# Camera-biased data: neighbours in the own camera and in others (CA-Jaccard). A person
# has some 5 images in each of the two cameras, so lists are shorter than the paper's.
_base_ = 'cc_osnet-x0_25_cuhk03.py'

cameras = dict(k1_intra=5, k1_inter=5, k2_intra=3, k2_inter=3)
clusterer = dict(eps=0.58, cameras=cameras)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
