"""Stop at the first loss that is not finite, and keep the batch that led to it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from mmengine.dist import all_gather, barrier, get_rank
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from torch import Tensor
from torchvision.utils import save_image

from mmreid_cc.registry import HOOKS

from .. import delayed_losses
from ..delayed_losses import LateNumbers

COLUMNS = 16  # of the sheet


@dataclass
class Iteration:
    """What is kept of an iteration until its losses are read.

    Args:
        losses (LateNumbers): The ``losses`` of all processes.
        data_batch (dict): Batch of this process.
        name (str): The name of the iteration in the error.
        number (int): The number of the iteration, from 1 on.
    """

    losses: LateNumbers
    data_batch: dict
    name: str
    number: int


@HOOKS.register_module()
class InvalidLossHook(Hook):
    """End the run when a loss is NaN or infinite, in all processes at once.

    The error names the iteration and the learning rate. The process with the invalid
    loss writes the images of the batch, as the network saw them, into
    ``<work_dir>/invalid_loss/iter_<n>_rank_<r>.png``, and their files, row by row of
    that sheet, into a ``.txt`` of the same name. No checkpoint is written afterwards.

    To avoid waiting for a GPU, its losses are read in the next iteration, or before
    anything is saved or validated.

    Raises:
        FloatingPointError: In every process, if a loss of any process is not finite.

    Examples:
        .. code:: python

            default_hooks = dict(invalid_loss=dict(type='InvalidLossHook'))
    """

    priority = 'ABOVE_NORMAL'  # before whatever logs or saves the iteration

    def __init__(self) -> None:
        self.unread: Iteration | None = None

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Check the losses of all processes."""
        if outputs is None or data_batch is None:
            return
        rate = runner.optim_wrapper.get_lr()['lr'][0]
        name = (
            f'iteration {runner.iter + 1} (epoch {runner.epoch + 1}, '
            f'batch {batch_idx + 1}), with learning rate {rate:g}'
        )
        gathered = torch.stack(all_gather(outputs['loss'].detach().float()))
        losses = LateNumbers({'losses': gathered})
        self.check(runner)  # of the iteration before
        self.unread = Iteration(losses, data_batch, name, runner.iter + 1)
        if not delayed_losses.any_on_gpu(outputs) or saves_now(runner):
            self.check(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Check the last losses before anything is saved or validated."""
        self.check(runner)

    def before_val(self, runner: Runner) -> None:
        """Check the last losses, in a loop without epochs."""
        self.check(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Check the last losses before another hook saves; in the main process."""
        self.check(runner, together=False)

    def check(self, runner: Runner, together: bool = True) -> None:
        """Check losses that have not been read.

        Args:
            runner (Runner): Runner of the run.
            together (bool): Whether all processes call this method.

        Raises:
            FloatingPointError: If a loss is not finite.
        """
        unread, self.unread = self.unread, None
        if unread is None:
            return
        losses = unread.losses.read()['losses']
        if losses.isfinite().all():
            return
        found = f'process(es) {(~losses.isfinite()).nonzero().flatten().tolist()}'
        saved = f'The images of the batch are in {runner.work_dir}/invalid_loss.'
        if not losses[get_rank()].isfinite():
            name = f'iter_{unread.number}_rank_{get_rank()}'
            try:
                folder = Path(runner.work_dir) / 'invalid_loss'
                save_batch(unread.data_batch, folder, name)
            except OSError as error:  # a full disk must not hide the loss
                saved = f'The images of the batch could not be saved: {error}.'
        if together:
            barrier()  # the first process that ends takes the others with it
        raise FloatingPointError(
            f'The loss of {found} is {losses[~losses.isfinite()][0].item()} in '
            f'{unread.name}. {saved} If the images are fine, set '
            '`optim_wrapper.clip_grad=dict(max_norm=...)`, and continue from the last '
            'checkpoint, which was saved before, with --resume. Or lower '
            '`optim_wrapper.optimizer.lr`, or start with a warm-up, in a new run: '
            'a resumed one keeps its learning rate.'
        )


def saves_now(runner: Runner) -> bool:
    """Return whether a checkpoint may be saved at the end of this iteration.

    Args:
        runner (Runner): Runner of the run.

    Returns:
        bool: True if checkpoints are counted in iterations, and this is one of them.
    """
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
    return any(
        not hook.by_epoch
        and (
            hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
            or hook.is_last_train_iter(runner)
        )
        for hook in hooks
    )


def save_batch(data_batch: dict, folder: Path, name: str) -> None:
    """Write the images of a batch as one sheet, and the list of their files.

    Args:
        data_batch (dict): ``inputs``, B images (3, H, W) in BGR, uint8 or float; and
            ``data_samples`` with ``img_path``.
        folder (Path): The folder, which is created if needed.
        name (str): Name of the files, without suffix.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = torch.stack([image.float() for image in data_batch['inputs']])
    paths = [sample.get('img_path', '') for sample in data_batch['data_samples']]
    lines = [path if path.isprintable() else repr(path) for path in paths]
    (folder / f'{name}.txt').write_text('\n'.join([*lines, '']), encoding='utf-8')
    save_image(as_colors(images), folder / f'{name}.png', nrow=COLUMNS)


def as_colors(images: Tensor) -> Tensor:
    """Return images as the network sees them, in red, green and blue from 0 to 1.

    Args:
        images (Tensor): BGR, shape (B, 3, H, W), float, 0 to 255; what is not finite
            becomes white.

    Returns:
        Tensor: The same shape.
    """
    return images.nan_to_num(255, 255, 255).flip(1).clamp(0, 255) / 255
