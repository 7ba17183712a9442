"""Every process knows what all of them train on in a step."""

import numpy as np
import torch
from mmengine.dist import get_rank
from two_ranks import run_on_two_ranks

from mmreid_cc.datasets import Market1501
from mmreid_cc.datasets.samplers import RandomMultipleGallerySampler
from mmreid_cc.engine.hooks.step_slots_hook import batches_of_all


def batches(root, skipped):
    """What a rank draws of epoch 3, and what it takes both to draw."""
    dataset = Market1501(root, 'train')
    sampler = RandomMultipleGallerySampler(dataset, 4, 4, 5, seed=1)
    sampler.set_labels(np.arange(len(dataset)) % 7)
    sampler.set_epoch(3)
    sampler.skip(skipped)
    whole = torch.stack(list(batches_of_all(sampler)))
    own = torch.tensor(list(sampler)).view(-1, sampler.batch_size)
    return own, whole, get_rank()


def test_the_batch_of_all_is_what_the_processes_draw(market_root, tmp_path):
    for skipped in (0, 2):
        folder = tmp_path / str(skipped)
        folder.mkdir()
        ranks = run_on_two_ranks(batches, folder, str(market_root), skipped)
        drawn = torch.cat([own for own, _, _ in ranks], dim=1)
        assert drawn.shape == (5 - skipped, 16)
        for _, whole, _ in ranks:
            assert whole.equal(drawn)
