"""Switches of the network's arithmetic, set by the tools before CUDA starts."""

import os

import pytest
import torch
from mmengine.config import Config

from mmreid_cc.engine.precision_settings import mixed_precision_wrapper, set_arithmetic
from mmreid_cc.models import ClusterMemory


@pytest.fixture
def switches(monkeypatch):
    """PyTorch's switches, as they were afterwards."""
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG', raising=False)
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    yield lambda: (matmul.allow_tf32, cudnn.allow_tf32)
    matmul.allow_tf32, cudnn.allow_tf32 = before


@pytest.mark.parametrize('allow', [True, False])
def test_tf32_is_one_switch(switches, allow):
    set_arithmetic(Config(dict(env_cfg=dict(tf32=allow))))
    assert switches() == (allow, allow)


def test_without_the_key_defaults_stay(switches):
    before = switches()
    set_arithmetic(Config())
    assert switches() == before
    assert 'CUBLAS_WORKSPACE_CONFIG' not in os.environ


def test_a_deterministic_run_has_a_fixed_workspace(switches, monkeypatch):
    set_arithmetic(Config(dict(randomness=dict(seed=1, deterministic=True))))
    assert os.environ['CUBLAS_WORKSPACE_CONFIG'] == ':4096:8'
    monkeypatch.setenv('CUBLAS_WORKSPACE_CONFIG', ':16:8')  # the user's
    set_arithmetic(Config(dict(randomness=dict(deterministic=True))))
    assert os.environ['CUBLAS_WORKSPACE_CONFIG'] == ':16:8'


def test_the_memory_multiplies_in_float32(switches, monkeypatch):
    """In both passes, while the network may round its inputs."""
    set_arithmetic(Config(dict(env_cfg=dict(tf32=True))))
    seen = []
    for name in ('__matmul__',):
        plain = getattr(torch.Tensor, name)

        def watch(a, b, plain=plain):
            matmul = torch.backends.cuda.matmul
            seen.append(getattr(matmul, 'fp32_precision', None) or matmul.allow_tf32)
            return plain(a, b)

        monkeypatch.setattr(torch.Tensor, name, watch)
    memory = ClusterMemory()
    memory.reset(torch.eye(3))
    queries = torch.randn(4, 3, requires_grad=True)
    memory(queries, torch.tensor([0, 1, 2, 0])).backward()
    assert seen in (['ieee', 'ieee'], [False, False])
    assert switches() == (True, True)


@pytest.mark.parametrize(
    ('gpu', 'native', 'wrapper'),
    [
        (False, False, 'BFloat16OptimWrapper'),
        (True, True, 'BFloat16OptimWrapper'),
        (True, False, 'AmpOptimWrapper'),
    ],
)
def test_mixed_precision(monkeypatch, gpu, native, wrapper):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    monkeypatch.setattr(
        torch.cuda, 'is_bf16_supported', lambda including_emulation: native
    )
    assert mixed_precision_wrapper() == wrapper
