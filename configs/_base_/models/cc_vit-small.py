# ViT-S/16 of TransReID-SSL: class token, BN neck, memory with the hard update.
model = dict(
    type='ImageClassifier',
    # Its pre-training scales pixels to [−1, 1] (`--self-norm`).
    data_preprocessor=dict(
        type='ClsDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, to_rgb=True
    ),
    backbone=dict(
        type='VisionTransformer',
        arch='deit-small',
        img_size=(256, 128),
        drop_path_rate=0.3,
        # From github.com/damo-cv/TransReID-SSL, converted by `convert.py vit` in
        # tools/model_converters.
        init_cfg=dict(
            type='Pretrained',
            checkpoint='pretrained/vit_small_cfs_lup.pth',
            prefix='backbone.',
        ),
    ),
    neck=None,
    head=dict(
        type='ClusterContrastHead',
        in_channels=384,
        memory=dict(
            type='ClusterMemory', momentum=0.2, temperature=0.05, update='hard'
        ),
    ),
)
