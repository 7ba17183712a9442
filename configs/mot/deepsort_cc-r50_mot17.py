# DeepSORT of mmdet with a network of ours for appearance.
_base_ = [
    'mmdet::deepsort/deepsort_faster-rcnn_r50_fpn_8xb2-4e_mot17halftrain_test-mot17halfval.py',
    'reid_cc-r50.py',
]

model = dict(
    reid=dict(_delete_=True, **_base_.reid),
    # A distance of L2-normalised embeddings; 2 would let everyone match.
    tracker=dict(reid=dict(match_score_thr=1.0)),
)
