"""One channel in place of three."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmreid_cc.registry import TRANSFORMS

WEIGHTS = {  # of blue, green and red
    'blue': (1.0, 0.0, 0.0),
    'green': (0.0, 1.0, 0.0),
    'red': (0.0, 0.0, 1.0),
    'gray': (0.114, 0.587, 0.299),
}


@TRANSFORMS.register_module()
class ChannelAugmentation(BaseTransform):
    """Replace the channels of an image by one of them, or by its grey.

    A visible image without its colours is a step towards an infrared one. An image of
    three equal channels, as infrared ones are, stays as it is.

    Args:
        prob (float): Share of images that are changed, in [0, 1]. Defaults to 1.
        channels (Sequence[str]): What takes the place of all three, each with the same
            probability: ``'red'``, ``'green'``, ``'blue'``, or ``'gray'``, their
            weighted sum. Defaults to the first three.

    Raises:
        ValueError: If an argument is out of range.

    References:
        Ye et al., *Channel Augmented Joint Learning for Visible-Infrared Recognition*
        (ICCV 2021), its random channel exchange. The channels without grey are what
        ADCA (Yang et al., ACM MM 2022) makes its second view by.

    Examples:
        .. code:: python

            train_pipeline = [..., dict(type='ChannelAugmentation'), ...]
    """

    def __init__(
        self, prob: float = 1.0, channels: Sequence[str] = ('red', 'green', 'blue')
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'ChannelAugmentation: prob must be in [0, 1], not {prob}')
        if not channels or not set(channels) <= WEIGHTS.keys():
            raise ValueError(
                'ChannelAugmentation: channels must be some of '
                f'{", ".join(map(repr, sorted(WEIGHTS)))}, not {channels!r}'
            )
        self.prob = prob
        self.channels = tuple(channels)

    def transform(self, results: dict) -> dict:
        """Change ``results['img']``, shape (H, W, 3), BGR."""
        if np.random.uniform() < self.prob:
            image = results['img']
            weights = WEIGHTS[self.channels[np.random.randint(len(self.channels))]]
            one = np.rint(image @ np.array(weights)).astype(image.dtype)
            results['img'] = np.repeat(one[..., None], 3, axis=2)
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob}, channels={self.channels})'
