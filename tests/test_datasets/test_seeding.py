"""What is drawn for an image depends on seed, epoch and position alone."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmreid_cc.datasets.seeding import SeededIndex, independent_seeds, seeded


def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()


def test_index_survives_the_way_to_a_worker():
    index = pickle.loads(pickle.dumps(SeededIndex(7, (0, 3, 12))))
    assert index == 7
    assert index.seed == copy.deepcopy(index).seed == (0, 3, 12)
    assert [10, 20][SeededIndex(1, (0,))] == 20


def test_seeded_draws_the_same_and_leaves_no_trace():
    before = draws()
    with seeded((1, 2)):
        first = draws()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = draws()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    with seeded((1, 2)):
        assert draws() == first
    assert draws() == expected
    assert before != first


def test_seeded_leaves_no_trace_of_an_error():
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = draws()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    with pytest.raises(KeyError), seeded((1, 2)):
        raise KeyError
    assert draws() == expected


def test_seeds_differ():
    keys = [(a, b) for a in range(10) for b in range(10)]
    seeds = [seed for key in keys for seed in independent_seeds(key)]
    assert len(set(seeds)) == 300


def batches(config, epoch, **loader):
    """The images of an epoch as the network gets them."""
    config = copy.deepcopy(config)
    config.train_dataloader.update(loader)
    config.train_dataloader.dataset.pipeline[-1].meta_keys = ('sample_idx',)
    with DefaultScope.overwrite_default_scope('mmreid_cc'):
        dataloader = Runner.build_dataloader(config.train_dataloader, seed=3)
    dataloader.sampler.set_labels(np.arange(48) // 6)
    drawn = []
    for number in range(epoch + 1):
        dataloader.sampler.set_epoch(number)
        drawn = [batch['inputs'] for batch in dataloader]
    return torch.stack([torch.stack(list(inputs)) for inputs in drawn])


@pytest.fixture
def epochs(tiny_config):
    return [batches(tiny_config, epoch) for epoch in (0, 1)]


@pytest.mark.parametrize('persistent', [True, False])
@pytest.mark.parametrize('workers', [1, 2])
def test_workers_change_no_image(tiny_config, epochs, workers, persistent):
    loader = dict(num_workers=workers, persistent_workers=persistent)
    assert torch.equal(batches(tiny_config, 1, **loader), epochs[1])


def test_epochs_differ(epochs):
    assert not torch.equal(*epochs)


def test_a_resumed_epoch_goes_on(tiny_config, epochs):
    config = copy.deepcopy(tiny_config)
    with DefaultScope.overwrite_default_scope('mmreid_cc'):
        dataloader = Runner.build_dataloader(config.train_dataloader, seed=3)
    dataloader.sampler.set_labels(np.arange(48) // 6)
    dataloader.sampler.skip(2)
    rest = [torch.stack(list(batch['inputs'])) for batch in dataloader]
    assert len(rest) == 1
    assert torch.equal(rest[0], epochs[0][2])
    dataloader.sampler.set_epoch(1)
    assert len(list(dataloader)) == 3  # the next one is whole


def test_processes_change_no_image(tiny_config, epochs, monkeypatch):
    """Two processes get the halves of what one gets."""
    halves = []
    for rank in range(2):
        monkeypatch.setattr(
            'mmreid_cc.datasets.samplers.random_multiple_gallery.get_dist_info',
            lambda rank=rank: (rank, 2),
        )
        halves.append(batches(tiny_config, 1, batch_size=8))
    assert torch.equal(torch.cat(halves, dim=1), epochs[1])
