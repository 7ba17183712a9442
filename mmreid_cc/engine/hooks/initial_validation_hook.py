"""Validation before the first epoch, so that later ones can be compared with it."""

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_cc.registry import HOOKS


@HOOKS.register_module()
class InitialValidationHook(Hook):
    """Run the validation once before training starts, logged as step 0.

    A resumed run does not repeat it.

    Examples:
        .. code:: python

            custom_hooks = [dict(type='InitialValidationHook')]
    """

    priority = 'LOWEST'  # after CheckpointHook is ready to save the best

    def before_train(self, runner: Runner) -> None:
        """Validate the weights that training starts from."""
        if runner.epoch == 0 and runner.val_loop is not None:
            runner.val_loop.run()
