"""A folder of crops, a config and nothing else: tools/train.py trains on it."""

import json

import pytest
from conftest import ROOT
from small_videos import write_video
from tiny_network import write_people_crops
from tool_runs import run_tool

from mmreid_cc.datasets.video import Recording, cut_crops


def run(name, tmp_path, *more):
    """Train a small variant of a config for one iteration; what it logged."""
    quick = ['model.backbone.init_cfg=None', 'train_cfg.max_epochs=1']
    quick += ['train_dataloader.sampler.iters_per_epoch=1']
    for loader in ('train_dataloader', 'test_dataloader'):
        quick += [f'{loader}.num_workers=0', f'{loader}.persistent_workers=False']
    if 'r50' in name:
        narrow = ['stem_channels=8', 'base_channels=8']
        quick += [f'model.backbone.{option}' for option in narrow]
        sizes = ['num_clusters=2', 'num_instances=16']
        quick += [f'train_dataloader.sampler.{option}' for option in sizes]
        quick += ['model.head.in_channels=256', 'train_dataloader.batch_size=32']
        quick += ['default_hooks.batch_norm_groups.samples_per_bn=16']
    options = ['--cfg-options', *quick, *more]
    arguments = ['--data-root', 'crops', '--work-dir', 'run', *options]
    config = str(ROOT / 'configs' / f'{name}.py')
    status, printed = run_tool('train.py', config, *arguments, cwd=tmp_path)
    assert status == 0, printed[-3000:]
    (log,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert (tmp_path / 'run' / 'epoch_1.pth').exists()
    return printed, logged


@pytest.mark.parametrize('name', ['cc_mbv2_own', 'cc_r50_own'])
def test_trains_on_a_folder(name, tmp_path):
    write_people_crops(tmp_path / 'crops', pids=(1, 3, 4, 6), shots=4)
    printed, logged = run(name, tmp_path)
    assert 'People: unknown' in printed
    assert 'Cameras: unknown' in printed
    (clustering,) = (line for line in logged if 'cluster/clusters' in line)
    assert clustering['cluster/clusters'] >= 1
    assert clustering['cluster/people'] >= 1
    assert -1 <= clustering['cluster/silhouette'] <= 1


def test_stops_and_keeps_the_best_without_labels(tmp_path):
    """After each epoch the clusters are judged; the third is not reached."""
    write_people_crops(tmp_path / 'crops', pids=(1, 3, 4, 6), shots=4)
    _, logged = run(
        'cc_r50_own_best',
        tmp_path,
        'train_cfg.max_epochs=3',
        'default_hooks.early_stopping.min_delta=2.0',  # more than can be
        'default_hooks.early_stopping.patience=1',
        'val_dataloader.num_workers=0',
        'val_dataloader.persistent_workers=False',
    )
    # Clusterings for training have sizes, too.
    judged = {
        line['step']: line['cluster/silhouette']
        for line in logged
        if 'cluster/silhouette' in line and 'cluster/size_max' not in line
    }
    assert sorted(judged) == [1, 2]
    (best,) = (tmp_path / 'run').glob('best_cluster_silhouette_*.pth')
    assert best.stem.endswith(str(max(judged, key=judged.get)))
    out = tmp_path / 'report.html'
    status, printed = run_tool(
        'visualization/report.py', 'run', '--out', out, cwd=tmp_path
    )
    assert status == 0, printed[-3000:]
    assert 'The report has no test set' in printed
    page = out.read_text()
    assert 'silhouette' in page
    assert 'people, estimated' in page


@pytest.mark.parametrize('cameras', [1, 2])
def test_trains_on_crops_of_videos(cameras, tmp_path):
    """From videos with two tracks each, as the tool writes them, to a checkpoint."""
    recordings = []
    for camera in range(cameras):
        video = write_video(tmp_path / f'cam{camera}.mp4', 9)
        lines = [
            f'{frame},{track},{30 * track},10,20,40'
            for track in (1, 2)
            for frame in range(1, 10)
        ]
        video.with_suffix('.txt').write_text('\n'.join(lines))
        tracks = str(video.with_suffix('.txt'))
        recordings.append(Recording(str(video), tracks, f'cam{camera}'))
    cut_crops(recordings, tmp_path / 'crops')
    printed, logged = run('cc_r50_tracks_own', tmp_path)
    (clustering,) = (line for line in logged if 'cluster/clusters' in line)
    # Two tracks of one camera at the same time are two people.
    assert clustering['cluster/clusters'] >= 2
    assert clustering['cluster/unclustered'] == 0
    assert 'CameraProxyMemory' in printed
