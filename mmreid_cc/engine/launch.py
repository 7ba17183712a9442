"""From a config file to the processes of a run: what the tools do before the Runner."""

import os
from datetime import timedelta

import torch
from mmengine.config import Config

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def set_data_root(cfg: Config, data_root: str) -> None:
    """Read the data of all loaders from another folder.

    Args:
        cfg (Config): Changed in place.
        data_root (str): Folder of the data set.
    """
    for loader in LOADERS:
        if cfg.get(loader) is not None:
            cfg[loader].dataset.data_root = data_root


def share_batch(cfg: Config) -> None:
    """Share the batch that the sampler draws among the processes of the run.

    ``train_dataloader.batch_size`` becomes P × K / number of processes, so that one
    config gives the same batches on any number of them. A config whose sampler draws
    no P × K is left as it is.

    Args:
        cfg (Config): Changed in place.

    Raises:
        ValueError: If the batch cannot be shared equally.
    """
    sampler = cfg.train_dataloader.sampler
    if 'num_clusters' not in sampler:
        return
    batch = sampler.num_clusters * sampler.num_instances
    processes = world_size(cfg.launcher)
    if batch % processes:
        raise ValueError(
            f'A batch of {sampler.num_clusters} clusters × {sampler.num_instances} '
            f'images cannot be shared by {processes} processes. Change `num_clusters` '
            'or `num_instances` of `train_dataloader.sampler`, or the number of '
            'processes.'
        )
    cfg.train_dataloader.batch_size = batch // processes


def prepare_processes(cfg: Config) -> None:
    """Let a distributed run work on a machine without a GPU, over gloo.

    MMEngine chooses a CUDA device for every process, when it makes the process group
    and when it wraps the model. Where there is none, both are prepared here.

    Args:
        cfg (Config): Changed in place.
    """
    if cfg.launcher == 'none' or torch.cuda.is_available():
        return
    if cfg.launcher != 'pytorch':
        raise ValueError(
            f"Without a GPU only the launcher 'pytorch' works, not {cfg.launcher!r}."
        )
    timeout = timedelta(seconds=cfg.env_cfg.dist_cfg.get('timeout', 7200))
    torch.distributed.init_process_group('gloo', timeout=timeout)
    cfg.env_cfg.dist_cfg.backend = 'gloo'
    wrapper = cfg.get('model_wrapper_cfg') or dict(type='MMDistributedDataParallel')
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def world_size(launcher: str) -> int:
    """Number of processes that a launcher started, from its environment variables."""
    variable = {
        'none': '',
        'pytorch': 'WORLD_SIZE',
        'slurm': 'SLURM_NTASKS',
        'mpi': 'OMPI_COMM_WORLD_SIZE',
    }[launcher]
    return int(os.environ.get(variable, 1))
