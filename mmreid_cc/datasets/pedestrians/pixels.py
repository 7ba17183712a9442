"""The types of colours and images."""

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Red, green and blue, 0–255."""

Image = NDArray[np.uint8]
"""(H, W, 3) RGB, or (H, W) grey."""
