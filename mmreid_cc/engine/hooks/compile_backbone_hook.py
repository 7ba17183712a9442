"""Compilation of the backbone alone."""

from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS

from ..extraction import unwrapped


@HOOKS.register_module()
class CompileBackboneHook(Hook):
    """Compile the backbone by ``torch.compile`` before training.

    The rest of a step stays as it is: the memory changes its size with every
    clustering, and its update is planned on the CPU, so that compiling the whole step,
    as MMEngine does by ``compile=True``, compiles again in every epoch and gains
    nothing there. Names of weights do not change. ``compile`` in a config is turned
    into this hook by ``tools/train.py``.

    Args:
        **options: Arguments of :func:`torch.compile`, e.g. ``mode``, ``backend``.

    Examples:
        .. code:: python

            compile = True                        # or dict(mode='max-autotune')
            custom_hooks = [dict(type='CompileBackboneHook')]      # the same
    """

    def __init__(self, **options: Any) -> None:
        self.options = options

    def before_train(self, runner: Runner) -> None:
        """Compile the backbone in place; the first batches of each size take long."""
        unwrapped(runner.model).backbone.compile(**self.options)
        runner.logger.info('The backbone is compiled: the first iterations take long.')


def compile_backbone_only(cfg: Config) -> None:
    """Turn MMEngine's ``compile`` into :class:`CompileBackboneHook`.

    Args:
        cfg (Config): Config with ``compile``, True or the arguments of
            ``torch.compile``, or without; changed in place.

    Raises:
        TypeError: If ``compile`` has another type.
    """
    options = cfg.pop('compile', False)
    if not isinstance(options, (bool, dict)):
        raise TypeError(
            '`compile` must be True, False, or a dict of arguments of torch.compile, '
            f'got {options!r}.'
        )
    if options is False:
        return
    hook = dict(type='CompileBackboneHook', **({} if options is True else options))
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]
