"""Settings of the computation on a GPU: TF32, mixed precision, determinism."""

import os

import torch
from mmengine.config import Config


def set_arithmetic(cfg: Config) -> None:
    """Set TF32 and determinism as a config asks for, before CUDA starts.

    ``env_cfg.tf32`` lets convolutions and matrix products of the *network* round their
    float32 inputs to 10 bits (on NVIDIA GPUs since Ampere), or forbids it. Without the
    key PyTorch's defaults stay: convolutions do, products do not. The memory, the
    search of neighbours and the ranking always multiply in float32.

    ``randomness.deterministic=True`` needs a fixed workspace of cuBLAS, which
    ``CUBLAS_WORKSPACE_CONFIG`` sets, unless the user has.

    Args:
        cfg (Config): Config of a Runner.

    Example:
        >>> set_arithmetic(Config(dict(env_cfg=dict(tf32=False))))
    """
    allow = cfg.get('env_cfg', {}).get('tf32')
    if allow is not None:
        torch.backends.cuda.matmul.allow_tf32 = allow
        torch.backends.cudnn.allow_tf32 = allow
    if cfg.get('randomness', {}).get('deterministic'):
        os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')


def mixed_precision_wrapper() -> str:
    """Return the optimizer wrapper for mixed precision on this machine.

    Returns:
        str: ``'BFloat16OptimWrapper'`` on a CPU and on a GPU that computes in bfloat16;
        ``'AmpOptimWrapper'``, float16 with loss scaling, on an older GPU.

    Example:
        >>> mixed_precision_wrapper()  # on a machine without a GPU
        'BFloat16OptimWrapper'
    """
    # Emulated, it is slower than float32.
    native = not torch.cuda.is_available() or torch.cuda.is_bf16_supported(
        including_emulation=False
    )
    return 'BFloat16OptimWrapper' if native else 'AmpOptimWrapper'
