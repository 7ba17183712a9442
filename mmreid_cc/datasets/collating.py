"""The collation of batches."""

import torch
from mmengine.dataset import default_collate
from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def collate_views(samples: list[dict]) -> dict:
    """Collate a batch in which every image has several views.

    Args:
        samples (list[dict]): B of them, as a pipeline with ``MultiView`` and
            ``PackInputs`` makes them: ``inputs``, a list of V images (3, H, W), and
            ``data_samples``.

    Returns:
        dict: ``inputs``, shape (V · B, 3, H, W), first all first views; and
        ``data_samples``, B of them.

    Examples:
        .. code:: python

            train_dataloader = dict(collate_fn=dict(type='collate_views'))
    """
    batch = default_collate(samples)
    return dict(batch, inputs=torch.cat(batch['inputs']))
