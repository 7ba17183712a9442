"""Baseline without learning: rank the gallery of a data set by colour histograms.

    python tools/analysis_tools/color_histogram.py data/synthetic

Whatever a trained network reaches should be well above these numbers.
"""

import argparse

import cv2
import numpy as np
from numpy.typing import NDArray

from mmreid_cc.datasets import ReIDDataset
from mmreid_cc.evaluation import ranking_metrics

HUE_SATURATION_BINS = (8, 8)
VALUE_BINS = 8


def color_histogram(image: NDArray[np.uint8], stripes: int) -> NDArray[np.float32]:
    """HSV histograms of horizontal stripes: hue × saturation, and value.

    Args:
        image: (H, W, 3) uint8 BGR.
        stripes: number of stripes of equal height; 1 is the whole image.

    Returns:
        (stripes · 72,) float32. Square roots of shares, so that the cosine of two
        images is the mean Bhattacharyya coefficient of their histograms.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    histograms = []
    for stripe in np.array_split(hsv, stripes):
        colours = cv2.calcHist(
            [stripe], [0, 1], None, HUE_SATURATION_BINS, [0, 180, 0, 256]
        )
        values = cv2.calcHist([stripe], [2], None, [VALUE_BINS], [0, 256])
        histograms += [colours.ravel(), values.ravel()]
    return np.sqrt(np.concatenate(histograms) / hsv[..., 0].size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data_root', help='folder in the layout of Market-1501')
    dataset = ReIDDataset(parser.parse_args().data_root, split='test')
    images = [cv2.imread(path) for path in dataset.column('img_path')]
    pids, cams = dataset.column('pid'), dataset.column('cam_id')
    query = dataset.column('is_query')
    for stripes in (1, 6):
        features = np.stack([color_histogram(image, stripes) for image in images])
        metrics = ranking_metrics(
            features[query],
            features[~query],
            pids[query],
            pids[~query],
            cams[query],
            cams[~query],
        )
        name = 'whole image' if stripes == 1 else f'{stripes} stripes'
        print(f'{name:12} mAP {metrics["mAP"]:6.1%}  rank-1 {metrics["CMC@1"]:6.1%}')


if __name__ == '__main__':
    main()
