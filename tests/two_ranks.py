"""Run a function in two processes that form a gloo group."""

from datetime import timedelta

import torch
from tool_runs import run_ranks
from torch import distributed


def run_on_two_ranks(function, folder, *arguments):
    """Return what `function(*arguments)` returns on rank 0 and on rank 1."""
    run_ranks(_run, (function, str(folder), arguments), processes=2)
    return [torch.load(folder / f'{rank}.pt') for rank in range(2)]


def _run(rank, function, folder, arguments):
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/group',
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=60),  # a test fails where a rank waits for nobody
    )
    torch.set_num_threads(1)
    torch.save(function(*arguments), f'{folder}/{rank}.pt')
    distributed.destroy_process_group()
