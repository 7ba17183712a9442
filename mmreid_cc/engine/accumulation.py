"""The number of batches in one step of the optimizer."""

from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner


def accumulated_batches(runner: Runner) -> int:
    """Return the number of batches whose gradients are accumulated for one step.

    Args:
        runner (Runner): Runner with an optimizer wrapper that was built.

    Returns:
        int: ``optim_wrapper.accumulative_counts`` of the config; 1 if not set.

    Raises:
        ValueError: If there are several optimizers.
    """
    wrapper = runner.optim_wrapper
    if isinstance(wrapper, OptimWrapperDict):
        raise ValueError(
            'The cluster memory moves once for every step of one optimizer, but there '
            f'are {len(wrapper)}. Use one `optim_wrapper`, whose `paramwise_cfg` can '
            'treat parameters differently.'
        )
    return wrapper._accumulative_counts
