"""Read an image from a file, and say which file it was if that fails."""

from mmcv.transforms import LoadImageFromFile

from mmreid_cc.registry import TRANSFORMS


@TRANSFORMS.register_module()
class LoadReIDImage(LoadImageFromFile):
    """Read an image by Pillow, as the reference does, in colour and upright by EXIF.

    Adds ``img`` (H, W, 3) uint8 in BGR order, ``img_shape`` and ``ori_shape`` to a dict
    with ``img_path``.

    Args:
        backend_args (dict, optional): File backend of MMEngine, e.g.
            ``dict(backend='petrel')``. Defaults to None: chosen by the path.

    Raises:
        OSError: If the file is missing or no readable image; it names the file.

    Examples:
        >>> from mmreid_cc.datasets import LoadReIDImage
        >>> LoadReIDImage()(dict(img_path='0002_c1s1_000451_03.jpg'))['img_shape']
        (128, 64)

        In a config:

        .. code:: python

            train_pipeline = [dict(type='LoadReIDImage'), ...]
    """

    def __init__(self, backend_args: dict | None = None) -> None:
        super().__init__(imdecode_backend='pillow', backend_args=backend_args)

    def transform(self, results: dict) -> dict:
        """Read ``results['img_path']``."""
        try:
            return super().transform(results)
        except Exception as error:  # Pillow raises many types on broken files
            raise OSError(
                f'{results["img_path"]} cannot be read as an image '
                f'({type(error).__name__}: {error}). Repair or remove it, or set '
                '`skip_unreadable=True` in the config of the data set.'
            ) from error
