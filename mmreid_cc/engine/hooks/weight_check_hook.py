"""A check, before weights are loaded, that they belong to the model."""

from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS

from ..extraction import unwrapped
from ..resuming import report_resuming
from ..weights import check_pretrained, check_state, check_weights, weights_of


@HOOKS.register_module()
class WeightCheckHook(Hook):
    """Stop with the names of the layers if a checkpoint does not fit the model.

    Without it, MMEngine warns and loads what fits. A test and a resumed run require
    exactly the layers of the model, and a resumed run also the state of the training.
    If a training starts from a checkpoint
    (``load_from``, or ``init_cfg`` of the type ``'Pretrained'``), layers may be missing
    or left over, with a warning of MMEngine, but the backbone must be there, and all
    layers that are there must have the right shape.

    Raises:
        ValueError: If the weights do not fit, or the state is missing, see
            :func:`mmreid_cc.engine.weights.check_weights` and ``check_state``.

    Examples:
        .. code:: python

            default_hooks = dict(weight_check=dict(type='WeightCheckHook'))
    """

    def before_run(self, runner: Runner) -> None:
        """Check the pre-trained parts of a model that is to be trained."""
        if _is_training(runner):
            check_pretrained(unwrapped(runner.model))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check a checkpoint, which MMEngine has read, but not yet loaded."""
        source = runner._load_from or f'The checkpoint of {runner.work_dir}'
        starting = _is_training(runner) and not runner._resume
        weights = weights_of(checkpoint)
        check_weights(unwrapped(runner.model), weights, source, complete=not starting)
        if runner._resume:
            check_state(checkpoint, source)
            report_resuming(runner, checkpoint)


def _is_training(runner: Runner) -> bool:
    """Return whether the Runner trains: it then has an optimizer already."""
    return isinstance(runner.optim_wrapper, OptimWrapper)
