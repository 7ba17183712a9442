"""Programs of others work with what we export; they come from PyPI."""

import sys
from collections import Counter, defaultdict

import cv2
import numpy as np
import pytest
import torch
from conftest import ROOT
from installed import SIZE, Client, small_model
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmreid_cc.datasets.image_lists import read_image_list
from mmreid_cc.datasets.pedestrians import write_scene
from mmreid_cc.datasets.video import CropRules, Recording, cut_crops, read_tracks
from mmreid_cc.evaluation.metrics import ReIDMetric

sys.path.insert(0, str(ROOT / 'tools' / 'deployment'))

import export

pytestmark = pytest.mark.slow


@torch.no_grad()
def embeddings_of(model, crops):
    """Of BGR pixels (N, 3, H, W)."""
    return model(export.inputs_of(model, crops, False)[0], mode='tensor').numpy()


def test_boxmot_tracks_with_our_onnx(tmp_path):
    """Two people who pass each other keep their identities."""
    model, reid = small_model(), tmp_path / 'reid.onnx'
    export.export(
        model, torch.randint(0, 256, (2, 3, *SIZE), dtype=torch.uint8), reid, False
    )
    # The version of onnxruntime that it would install by itself when it is run.
    client = Client(tmp_path / 'env', 'boxmot==25.0.0', 'onnxruntime==1.24.3')
    found = client.run('boxmot_tracks.py', reid)
    (first,), (second,) = found['identities']
    assert first != second
    colors = torch.tensor([[40, 40, 220], [220, 120, 30]], dtype=torch.uint8)
    crops = colors[:, :, None, None].expand(2, 3, *SIZE)
    np.testing.assert_allclose(
        found['embeddings'], embeddings_of(model, crops), atol=1e-4
    )


def test_roboflow_reid_measures_as_we_do(tmp_path):
    """The same features: the same mAP, rank-1, rank-5, rank-10 and mINP, in percent."""
    draw = np.random.default_rng(0)
    pids, cams = np.arange(300) % 30, draw.integers(0, 4, 300)
    people = draw.normal(size=(30, 64))
    features = people[pids] + 1.5 * draw.normal(size=(300, 64))
    features = features.astype(np.float32)
    data = {
        f'{name}_{kind}': values[rows]
        for name, rows in (('query', slice(60)), ('gallery', slice(60, None)))
        for kind, values in (('features', features), ('pids', pids), ('cams', cams))
    }
    np.savez(tmp_path / 'features.npz', **data)
    theirs = Client(tmp_path / 'env', 'reid==0.1.0rc1').run(
        'roboflow_metrics.py', tmp_path / 'features.npz'
    )
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    samples = [
        DataSample(
            feature=torch.from_numpy(features[row] / norms[row]),
            pid=int(pids[row]),
            cam_id=int(cams[row]),
            is_query=row < 60,
            sample_idx=row,
        )
        for row in range(300)
    ]
    evaluator = Evaluator(ReIDMetric())
    evaluator.process(samples)
    ours = evaluator.evaluate(300)
    for their_name, name in (
        ('map', 'mAP'),
        ('minp', 'mINP'),
        ('rank1', 'CMC@1'),
        ('rank5', 'CMC@5'),
        ('rank10', 'CMC@10'),
    ):
        assert theirs[their_name] == pytest.approx(ours[f'reid/{name}'], abs=1e-4)
    assert 20 < theirs['map'] < 90


def test_supervision_detections_in_embeddings_out(tmp_path):
    """What a detector found in a frame is embedded as PyTorch embeds the crops."""
    model, reid = small_model(), tmp_path / 'pixels.onnx'
    export.export(
        model, torch.randint(0, 256, (2, 3, *SIZE), dtype=torch.uint8), reid, True
    )
    frame = np.random.default_rng(0).integers(0, 256, (100, 120, 3), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / 'frame.png'), frame)
    client = Client(tmp_path / 'env', 'supervision==0.31.2')
    found = client.run('supervision_embeddings.py', reid, tmp_path / 'frame.png')
    crops = np.stack([frame[20:84, 10:42], frame[20:84, 60:92]]).transpose(0, 3, 1, 2)
    expected = embeddings_of(model, torch.from_numpy(crops.copy()))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    ('script', 'packages'),
    [
        ('trackers_tracks.py', ['trackers==2.6.1', 'supervision==0.31.2']),
        ('boxmot_file.py', ['boxmot==25.0.0', 'onnxruntime==1.24.3']),
    ],
)
def test_from_a_video_to_crops_by_their_trackers(tmp_path, script, packages):
    """Video, played detector, their tracker, our crops: a track shows one person."""
    scene = write_scene(tmp_path / 'scene', people=12, cameras=1, seconds=20)
    video, true = scene / 'cam1.mp4', scene / 'cam1_true.csv'
    client = Client(tmp_path / 'env', *packages)
    assert client.run(script, video, true, tmp_path / 'cam1.txt') == 200
    recording = Recording(str(video), str(tmp_path / 'cam1.txt'), camera='cam1')
    cut_crops([recording], tmp_path / 'crops', CropRules(per_track=8, min_height=48))
    crops = read_image_list(tmp_path / 'crops' / 'crops.csv', tmp_path / 'crops')
    truth = read_tracks(true)
    shown = defaultdict(list)
    for crop in crops:
        box = np.array([float(crop.metadata[side]) for side in 'xywh'])
        rows = np.flatnonzero(truth.frames == int(crop.metadata['frame']))
        nearest = rows[np.abs(truth.boxes[rows] - box).sum(axis=1).argmin()]
        shown[crop.track].append(truth.pids[nearest])
    assert len(shown) >= 10
    counts = [Counter(pids).most_common(1)[0][1] for pids in shown.values()]
    assert sum(counts) > 0.75 * len(crops)


@pytest.fixture(scope='module')
def mmdet(tmp_path_factory):
    return Client(tmp_path_factory.mktemp('mmdet') / 'env', 'onedl-mmdetection==3.5.1')


@pytest.mark.parametrize('tracker', ['deepsort', 'strongsort'])
def test_mmdet_tracks_with_our_network(mmdet, tracker):
    """Images (N, C, H, W) and (1, N, C, H, W); a first frame without anybody."""
    config = ROOT / 'configs' / 'mot' / f'{tracker}_cc-r50_mot17.py'
    found = mmdet.run('mmdet_tracks.py', config)
    (first,), (second,) = found['identities']
    assert first != second
    assert found['shape'] == [3, found['out_channels']] == [3, 64]
    assert found['same']
    assert found['as_trained']  # our checkpoint, through init_cfg
