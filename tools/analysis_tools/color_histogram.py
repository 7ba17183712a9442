"""Baseline without learning: rank a gallery by colour histograms.

    python tools/analysis_tools/color_histogram.py data/synthetic

A trained network should be well above these numbers.
"""

import argparse
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.evaluation import ranking_metrics

COLOUR_SPACES = ('HSV', 'RGB')
STRIPES = (1, 6)


def color_histogram(
    image: NDArray[np.uint8], colour_space: str, stripes: int
) -> NDArray[np.float32]:
    """Compute the histograms of horizontal stripes, one after the other.

    Args:
        image: (H, W, 3) uint8 RGB.
        colour_space: ``'HSV'``: 8 × 8 bins of hue × saturation, and 8 of value;
            ``'RGB'``: 6 × 6 × 6 bins.
        stripes: number of stripes of equal height, from 1 (the whole image) to H.

    Returns:
        (stripes · 72,) or (stripes · 216,) float32: square roots of the shares of
        pixels, so that the cosine of two images is the mean Bhattacharyya coefficient
        of their stripes.

    Example:
        >>> color_histogram(np.zeros((128, 64, 3), np.uint8), 'RGB', 6).shape
        (1296,)
    """
    histograms = []
    for stripe in np.array_split(image, stripes):
        if colour_space == 'HSV':
            hsv = [cv2.cvtColor(stripe, cv2.COLOR_RGB2HSV)]
            histograms += [
                cv2.calcHist(hsv, [0, 1], None, [8, 8], [0, 180, 0, 256]),
                cv2.calcHist(hsv, [2], None, [8], [0, 256]),
            ]
        else:
            histograms += [
                cv2.calcHist([stripe], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3)
            ]
    counts = np.concatenate([histogram.ravel() for histogram in histograms])
    return np.sqrt(counts / counts.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data_root', help='folder in the layout of Market-1501')
    dataset = ReIDDataset(parser.parse_args().data_root, split='test')
    images = [_read(path) for path in dataset.column('img_path')]
    pids, cams = dataset.column('pid'), dataset.column('cam_id')
    query = dataset.column('is_query')
    for colour_space, stripes in product(COLOUR_SPACES, STRIPES):
        features = np.stack(
            [color_histogram(image, colour_space, stripes) for image in images]
        )
        metrics = ranking_metrics(
            features[query],
            features[~query],
            pids[query],
            pids[~query],
            cams[query],
            cams[~query],
        )
        name = (
            f'{colour_space}, {"whole image" if stripes == 1 else f"{stripes} stripes"}'
        )
        print(f'{name:17}mAP {metrics["mAP"]:6.1%}   rank-1 {metrics["CMC@1"]:6.1%}')


def _read(path: str) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert('RGB'))


if __name__ == '__main__':
    main()
