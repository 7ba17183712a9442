"""Preparation before the Runner: of the config and of the processes."""

import os
import tempfile
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dist import barrier, is_distributed

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


def fit_loaders(cfg: Config) -> None:
    """Limit loader processes to the CPU cores, and pin memory only with a GPU.

    Otherwise PyTorch warns about both, once for each loader. The batches are the same.
    Loader processes that do not exist cannot persist, which PyTorch refuses.

    Args:
        cfg (Config): ``num_workers``, ``persistent_workers`` and ``pin_memory`` of its
            loaders are changed in place.
    """
    cores = len(os.sched_getaffinity(0))
    for name in LOADERS:
        loader = cfg.get(name)
        if loader is not None:
            loader.num_workers = min(loader.get('num_workers', 0), cores)
            if loader.num_workers == 0:
                loader.persistent_workers = False
            loader.pin_memory = (
                loader.get('pin_memory', False) and torch.cuda.is_available()
            )


def drop_own_scope(cfg: Config) -> None:
    """Remove our scope from what a config inherits by ``mmreid_cc::``.

    It is the default scope anyway, and MMEngine would pass it as an argument to the
    function of ``collate_fn``.

    Args:
        cfg (Config): Changed in place.
    """

    def drop(value: Any) -> None:
        if isinstance(value, dict):
            if value.get('_scope_') == 'mmreid_cc':
                del value['_scope_']
            drop(list(value.values()))
        elif isinstance(value, (list, tuple)):
            for item in value:
                drop(item)

    drop(cfg._cfg_dict)


def check_work_dir(work_dir: str) -> None:
    """Check that results can be written, before hours are spent on them.

    Args:
        work_dir (str): The folder, which is created if needed.

    Raises:
        OSError: If the folder cannot be written to.
    """
    try:
        os.makedirs(work_dir, exist_ok=True)
        with tempfile.TemporaryFile(dir=work_dir) as file:
            file.write(bytes(2**20))
    except OSError as error:
        raise OSError(
            error.errno,
            f'{error.strerror}: logs and checkpoints cannot be written there. Make '
            'room, or name another folder: --work-dir FOLDER',
            str(work_dir),
        ) from error


def share_batch(cfg: Config) -> None:
    """Share the batch that the sampler draws among the processes of the run.

    ``train_dataloader.batch_size``, which is P × K in a config, becomes P × K / number
    of processes / ``optim_wrapper.accumulative_counts``, so that one config gives the
    same steps on any number of processes, and in as many parts as a GPU needs. A config
    whose sampler draws no P × K is left as it is.

    Args:
        cfg (Config): Changed in place.

    Raises:
        ValueError: If the batch size is not P × K, or cannot be shared equally.
    """
    loader, sampler = cfg.train_dataloader, cfg.train_dataloader.sampler
    if 'num_clusters' not in sampler:
        return
    batch = sampler.num_clusters * sampler.num_instances
    if loader.batch_size != batch:
        raise ValueError(
            f'`train_dataloader.batch_size` is {loader.batch_size}, but its sampler '
            f'draws num_clusters × num_instances = {sampler.num_clusters} × '
            f'{sampler.num_instances} = {batch} images for all processes together. '
            'Change them together.'
        )
    processes = world_size(cfg.launcher)
    accumulated = cfg.optim_wrapper.get('accumulative_counts', 1)
    if batch % (processes * accumulated):
        raise ValueError(
            f'A batch of {batch} images (num_clusters × num_instances of '
            '`train_dataloader.sampler`) cannot be shared equally by '
            f'{processes} process(es), in {accumulated} part(s) each '
            '(`optim_wrapper.accumulative_counts`). Change one of them.'
        )
    loader.batch_size = batch // (processes * accumulated)


def prepare_processes(cfg: Config) -> None:
    """Let a distributed run use gloo on a machine without a GPU.

    MMEngine chooses a CUDA device for every process, when it creates the process group
    and when it wraps the model. Without a GPU, both are prepared here.

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
    # What the Runner would choose, except for the device.
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        find_unused_parameters=cfg.get('find_unused_parameters', False),
        broadcast_buffers=False,
    )
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def end_processes() -> None:
    """End the processes of a run together, when all have done their work.

    If a process ends while another one still holds a connection to it, the other one
    can crash.
    """
    if is_distributed():
        barrier()
        torch.distributed.destroy_process_group()


def world_size(launcher: str) -> int:
    """Return how many processes a launcher started, by its environment variables."""
    variable = {
        'none': '',
        'pytorch': 'WORLD_SIZE',
        'slurm': 'SLURM_NTASKS',
        'mpi': 'OMPI_COMM_WORLD_SIZE',
    }[launcher]
    return int(os.environ.get(variable, 1))
