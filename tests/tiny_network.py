"""A config and a checkpoint of a network that runs in milliseconds, untrained."""

import torch
from conftest import ROOT, write_crop
from mmengine.config import Config

from mmreid_cc.apis.model import scope_of
from mmreid_cc.registry import MODELS

CONFIG = """
_base_ = '{root}/configs/cc_mbv2_cuhk03.py'
custom_imports = dict(imports=['tiny_backbone'])
model = dict(backbone=dict(_delete_=True, type='TinyBackbone'),
             head=dict(in_channels=16))
clusterer = dict(type='DBSCAN', eps=0.6, min_samples=2, k1=6, k2=2)
default_hooks = dict(cluster_memory=dict(clusterer=clusterer))
"""


def write_network(folder, seed=0):
    """Write config and checkpoint; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / 'tiny.py'
    config.write_text(CONFIG.format(root=ROOT))
    cfg = Config.fromfile(config)
    with torch.random.fork_rng(), scope_of(cfg):
        torch.manual_seed(seed)
        model = MODELS.build(cfg.model)
    checkpoint = folder / 'tiny.pth'
    torch.save({'state_dict': model.state_dict()}, checkpoint)
    return config, checkpoint


def write_people_crops(folder, pids=(1, 3, 4, 6), shots=5):
    """Write crops of some people, in sub-folders and under odd names; who each shows.

    Returns:
        dict[str, int]: Identity by path below the folder.
    """
    shown = {}
    for pid in pids:
        for shot in range(shots):
            name = f'cam {shot % 2}/{"日本" if shot else "a"} {pid}é_{shot}.png'
            write_crop(folder / name, pid, seed=100 * pid + shot)
            shown[name] = pid
    return shown
