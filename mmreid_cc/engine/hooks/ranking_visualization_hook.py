"""Pictures of a validation: how the gallery is ranked for queries."""

from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from mmengine.dataset import pseudo_collate
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.hooks.hook import DATA_BATCH
from mmengine.runner import Runner
from torch import Tensor

from mmreid_cc.evaluation.gather import gather_by_index
from mmreid_cc.evaluation.metrics import ReIDMetric
from mmreid_cc.registry import HOOKS
from mmreid_cc.visualization import (
    EmbeddedImages,
    choose_queries,
    cmc_and_precision,
    figure_pixels,
    grad_cam_figure,
    rank_list_sheet,
    rank_lists,
    similarity_histogram,
    similarity_maps,
)
from mmreid_cc.visualization.rank_lists import TITLES, first_ranks

from ..extraction import unwrapped


@HOOKS.register_module()
class RankingVisualizationHook(Hook):
    """Draw rank lists, CMC and similarities of each validation with the visualizer.

    They are written to ``vis_data/vis_image`` of the run, and to TensorBoard if that is
    among the ``vis_backends``. Several sets in one validation are drawn as one.

    Args:
        num_queries (int): Rank lists of each kind: ranked best, worst, and drawn by
            chance. Defaults to 3.
        grad_cam_pairs (int): Also draw the Grad-CAM of so many queries, drawn by
            chance, and what is ranked first for them. It needs a network that ends in a
            map, see :func:`mmreid_cc.visualization.similarity_maps`. Defaults to 0.

    Raises:
        ValueError: If ``num_queries`` is not positive; before a validation, if there is
            no :class:`ReIDMetric`, whose ``exclude_same_camera`` holds here, too.

    Examples:
        .. code:: python

            custom_hooks = [dict(type='RankingVisualizationHook')]
            vis_backends = [dict(type='LocalVisBackend'),
                            dict(type='TensorboardVisBackend')]
            visualizer = dict(vis_backends=vis_backends)
    """

    def __init__(self, num_queries: int = 3, grad_cam_pairs: int = 0) -> None:
        if num_queries < 1:
            raise ValueError(
                'RankingVisualizationHook: num_queries must be positive, not '
                f'{num_queries}'
            )
        self.num_queries = num_queries
        self.grad_cam_pairs = grad_cam_pairs

    def before_val(self, runner: Runner) -> None:
        """Read from the metric which images count in the ranking."""
        metrics = runner.val_loop.evaluator.metrics
        ours = [metric for metric in metrics if isinstance(metric, ReIDMetric)]
        if not ours:
            raise ValueError(
                'RankingVisualizationHook draws what ReIDMetric measures, but '
                '`val_evaluator` of the config contains no ReIDMetric. Add it, or '
                'remove the hook.'
            )
        self.exclude_same_camera = ours[0].exclude_same_camera

    def before_val_epoch(self, runner: Runner) -> None:
        """Forget the images of the last validation."""
        self.batches: list[tuple[Tensor, Tensor]] = []

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: DATA_BATCH = None,
        outputs: Sequence[Any] | None = None,
    ) -> None:
        """Keep the embeddings of a batch."""
        samples = outputs or ()
        features = torch.stack([sample.feature for sample in samples])
        indices = torch.tensor([sample.sample_idx for sample in samples])
        self.batches.append((features.float().cpu(), indices))

    def after_val_epoch(
        self, runner: Runner, metrics: dict[str, float] | None = None
    ) -> None:
        """Gather the embeddings of all processes, and draw in the main one."""
        dataset = runner.val_dataloader.dataset
        features, indices = map(torch.cat, zip(*self.batches, strict=True))
        self.batches.clear()
        features = gather_by_index(features, indices, len(dataset))
        if not is_main_process():
            return
        columns = ('img_path', 'pid', 'cam_id', 'is_query')
        paths, pids, cam_ids, is_query = map(dataset.column, columns)
        images = EmbeddedImages(
            paths, features.numpy(), pids, cam_ids, is_query, self.exclude_same_camera
        )
        chosen = choose_queries(images, self.num_queries)
        lists = {
            TITLES[kind]: rank_lists(images, rows) for kind, rows in chosen.items()
        }
        figures = {
            'rank_lists': rank_list_sheet(lists),
            'cmc': cmc_and_precision(images),
            'similarities': similarity_histogram(images),
        }
        if self.grad_cam_pairs:
            figures['grad_cam'] = self._grad_cam(runner, images)
        for name, figure in figures.items():
            runner.visualizer.add_image(name, figure_pixels(figure), step=runner.epoch)

    def _grad_cam(self, runner: Runner, images: EmbeddedImages) -> Figure:
        model = unwrapped(runner.model)
        dataset = runner.val_dataloader.dataset
        rows = {path: row for row, path in enumerate(images.paths)}
        captions = first_ranks(images, self.grad_cam_pairs)
        maps = []
        for pair in captions:
            batch = pseudo_collate([dataset[rows[path]] for path in pair])
            inputs = model.data_preprocessor(batch, False)['inputs']
            maps.append(similarity_maps(model, inputs))
        return grad_cam_figure(list(captions), maps, list(captions.values()))
