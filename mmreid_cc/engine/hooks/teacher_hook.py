"""A teacher: the average of the weights of the network that is trained."""

from mmengine.hooks import EMAHook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner

from mmreid_cc.models import TaughtClassifier
from mmreid_cc.registry import HOOKS

from ..accumulation import accumulated_batches
from ..extraction import unwrapped


@HOOKS.register_module()
class TeacherHook(EMAHook):
    """Average the weights into a teacher, see :class:`TaughtClassifier`.

    It is MMEngine's ``EMAHook`` with :class:`TeacherAverage`, which moves once for
    every step of the optimizer. :class:`ClusterMemoryHook` clusters the embeddings of
    the teacher and fills the memory with them. The teacher is validated, and its
    weights are the ``state_dict`` of a checkpoint. A resumed run continues with both
    networks.

    Args:
        momentum (float): Weight of the *new* weights, in (0, 1). Papers give the weight
            of the old ones, 0.999. Defaults to 0.001.

    Raises:
        ValueError: If the model has no place for a teacher.

    Examples:
        .. code:: python

            custom_hooks = [dict(type='TeacherHook')]
    """

    priority = 'ABOVE_NORMAL'  # before a hook that validates

    def __init__(self, momentum: float = 0.001) -> None:
        super().__init__(ema_type='TeacherAverage', momentum=momentum)

    def before_run(self, runner: Runner) -> None:
        """Create the average, and pass it to the model as its teacher."""
        model = unwrapped(runner.model)
        if not isinstance(model, TaughtClassifier):
            raise ValueError(
                f'TeacherHook needs a model that learns from a teacher, not '
                f'{type(model).__name__}. Set `model.type` to "TaughtClassifier".'
            )
        super().before_run(runner)
        model.set_teacher(self.ema_model.module)

    def before_train(self, runner: Runner) -> None:
        """Start the average from the weights of the network, now initialised."""
        super().before_train(runner)
        self.batches_per_step = accumulated_batches(runner)
        if self.ema_model.steps == 0:
            self.ema_model.module.load_state_dict(self.src_model.state_dict())

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: dict | None = None,
    ) -> None:
        """Update the average after a step of the optimizer."""
        if (runner.iter + 1) % self.batches_per_step == 0:
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
