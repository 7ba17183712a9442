"""Track two people on drawn frames by a tracker of mmdet, with our network.

    python mmdet_tracks.py configs/mot/deepsort_cc-r50_mot17.py

The detector is played. Where mmcv has no compiled operations, a placeholder stands for
them that raises when one is called: mmdet imports them all, and tracking needs none.
"""

import importlib.util
import json
import os
import sys
import tempfile
import types
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from torch import nn


class NoOperations(types.ModuleType):
    """Has every name; none of it can be called."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)

        def refuse(*args, **kwargs):
            raise RuntimeError(f'{name} of mmcv was called')

        return refuse


compiled = importlib.util.find_spec('mmcv._ext') is not None
if not compiled:
    sys.modules['mmcv._ext'] = NoOperations('mmcv._ext')

from mmdet.registry import MODELS, TASK_UTILS  # noqa: E402  after mmcv._ext
from mmdet.structures import DetDataSample, TrackDataSample  # noqa: E402
from mmdet.utils import register_all_modules  # noqa: E402

from mmreid_cc.registry import MODELS as OUR_MODELS  # noqa: E402

CONFIGS = Path(sys.argv[1]).parents[1]

WIDTH, HEIGHT = 32, 64
COLORS = torch.tensor([[40, 40, 220], [220, 120, 30]], dtype=torch.uint8)
FRAMES = 12


def boxes_of(time):
    """Nobody at first, then two people who walk in parallel."""
    lefts = [] if time == 0 else [20 + 4 * time, 220 - 4 * time]
    rows = [[left, 40.0, left + WIDTH, 40.0 + HEIGHT] for left in lefts]
    return torch.tensor(rows).reshape(-1, 4)


@MODELS.register_module()
class PlayedDetector(nn.Module):
    """Finds everybody."""

    def predict(self, inputs, data_samples):
        for sample in data_samples:
            boxes = boxes_of(sample.frame_id)
            people = len(boxes)
            sample.pred_instances = InstanceData(
                bboxes=boxes,
                labels=torch.zeros(people, dtype=torch.long),
                scores=torch.full((people,), 0.9),
            )
        return data_samples


@TASK_UTILS.register_module()
class NoLinks:
    """In place of a network that links pieces of tracks."""

    def forward(self, tracks):
        return tracks


def video():
    frames = torch.full((FRAMES, 3, 160, 288), 90, dtype=torch.uint8)
    samples = []
    for time in range(FRAMES):
        for color, box in zip(COLORS, boxes_of(time).int().tolist(), strict=False):
            frames[time, :, box[1] : box[3], box[0] : box[2]] = color[:, None, None]
        shape = dict(img_shape=(160, 288), ori_shape=(160, 288))
        samples.append(
            DetDataSample(
                metainfo=dict(frame_id=time, scale_factor=(1.0, 1.0), **shape)
            )
        )
    track = TrackDataSample()
    track.video_data_samples = samples
    return dict(inputs=[frames], data_samples=[track])


def trained_network(checkpoint):
    """What training saves, of a network that is built fast."""
    cfg = Config.fromfile(CONFIGS / 'cc_r50_market.py')
    cfg.model.backbone = small(cfg.model.backbone)
    cfg.model.head.in_channels = 64
    init_default_scope('mmreid_cc')
    network = OUR_MODELS.build(cfg.model).eval()
    torch.save(dict(meta={}, state_dict=network.state_dict()), checkpoint)
    return network


def small(backbone):
    """The same backbone with fewer layers and channels, and no weights to download."""
    return dict(backbone, depth=18, stem_channels=8, base_channels=8, init_cfg=None)


checkpoint = os.path.join(tempfile.mkdtemp(), 'epoch_50.pth')
torch.manual_seed(0)
ours = trained_network(checkpoint)
register_all_modules(init_default_scope=False)
init_default_scope('mmdet')
cfg = Config.fromfile(sys.argv[1])
cfg.model.detector = dict(type='PlayedDetector')
cfg.model.reid.init_cfg.checkpoint = checkpoint
cfg.model.reid.backbone = small(cfg.model.reid.backbone)
cfg.model.reid.head.in_channels = 64
if cfg.model.type == 'StrongSORT':
    cfg.model.postprocess_model = dict(type='NoLinks')
    cfg.model.cmc = None  # the drawn background has nothing to align
model = MODELS.build(cfg.model).eval()
model.init_weights()
with torch.no_grad():
    (tracked,) = model.test_step(video())
    crops = torch.randn(3, 3, 256, 128)
    many, batch = model.reid(crops), model.reid(crops[None])
    expected = ours(crops, mode='tensor')

identities = [set(), set()]
for time, sample in enumerate(tracked.video_data_samples):
    found = sample.pred_track_instances
    # StrongSORT links tracks in arrays: frame, identity, x, y, width, height, score.
    rows = (
        [(int(row[1]), row[2]) for row in found.bboxes]
        if cfg.model.type == 'StrongSORT'
        else zip(found.instances_id.tolist(), found.bboxes[:, 0], strict=True)
    )
    for identity, left in rows:
        lefts = boxes_of(time)[:, 0]
        person = int((lefts - float(left)).abs().argmin())
        identities[person].add(identity)
print(
    json.dumps(
        {
            'compiled': compiled,
            'identities': [sorted(found) for found in identities],
            'shape': list(batch.shape),
            'out_channels': model.reid.head.out_channels,
            'same': bool(torch.equal(many, batch)),
            'as_trained': bool(torch.equal(many, expected)),
        }
    )
)
