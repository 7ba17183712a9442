"""The painting of a figure onto a canvas, from far to near, with soft shading."""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from .figure import Disc, Garment, Part
from .pixels import Colour, Image

Grid = NDArray[np.float64]

LAYOUTS: dict[str, Callable[[Grid, Grid], NDArray[np.bool_]]] = {
    'hoops': lambda x, y: y % 0.08 < 0.04,
    'stripes': lambda x, y: x % 0.07 < 0.03,
    'checks': lambda x, y: (x % 0.1 < 0.05) ^ (y % 0.1 < 0.05),
    'dots': lambda x, y: np.hypot(x % 0.07 - 0.035, y % 0.07 - 0.035) < 0.02,
    'block': lambda x, y: y < 0.3,
    'band': lambda x, y: abs(y - 0.33) < 0.035,
}
"""Where a garment shows its second colour: x from the body's axis, y from the crown,
in body heights. Patterns that are not listed are of one colour."""

_RIM_SHADE = 190
_CIRCLE = np.stack(
    [f(np.linspace(0, 2 * np.pi, 16, endpoint=False)) for f in (np.cos, np.sin)], axis=1
).astype(np.float32)


@dataclass(frozen=True)
class View:
    """How body coordinates become pixels: an orthographic camera.

    Attributes:
        x: column of the body's axis, pixels.
        y: row of the crown, pixels.
        scale: pixels per body height.
        yaw: direction of the walk in radians, 0 towards the camera.
        pitch: how far the camera looks down, in radians.
    """

    x: float
    y: float
    scale: float
    yaw: float
    pitch: float

    def project(self, discs: list[Disc]) -> NDArray[np.float32]:
        """Project discs in body heights to (N, 4) float32: column, row, depth, radius.

        Column, row and radius are in pixels, the depth (larger is nearer) in body
        heights.
        """
        x, y, z, radius = np.array(discs, np.float32).T
        depth = z * cos(self.yaw) - x * sin(self.yaw)
        column = self.x + self.scale * (x * cos(self.yaw) + z * sin(self.yaw))
        row = self.y + self.scale * (y * cos(self.pitch) + depth * sin(self.pitch))
        return np.stack([column, row, depth, radius * self.scale], axis=1)


def paint_figure(canvas: Image, shade: Image, parts: list[Part], view: View) -> None:
    """Paint a figure in place.

    Args:
        canvas: (H, W, 3) uint8 RGB.
        shade: (H, W) uint8, by which the canvas is to be multiplied: 255 is full light.
        parts: the parts of the figure, in any order.
        view: where and how the figure stands.
    """
    projected = [[view.project(hull) for hull in part.hulls] for part in parts]
    depths = [
        part.lift + float(hulls[0][:, 2].mean())
        for part, hulls in zip(parts, projected, strict=True)
    ]
    for index in np.argsort(depths, kind='stable'):
        hulls = projected[index]
        _fill(canvas, [_outline(hull) for hull in hulls], parts[index].fill, view)
        for hull in hulls:
            cv2.fillConvexPoly(shade, _outline(hull), _RIM_SHADE)
        for hull in hulls:
            cv2.fillConvexPoly(shade, _outline(hull, shrink=0.6), 255)


def figure_box(parts: list[Part], view: View) -> tuple[float, float, float, float]:
    """Return the smallest box around a figure.

    Args:
        parts: the parts of the figure.
        view: where and how the figure stands.

    Returns:
        Left, top, width and height in pixels.
    """
    discs = [disc for part in parts for hull in part.hulls for disc in hull]
    column, row, _, radius = view.project(discs).T
    left, top = float((column - radius).min()), float((row - radius).min())
    right, bottom = float((column + radius).max()), float((row + radius).max())
    return left, top, right - left, bottom - top


def _outline(discs: NDArray[np.float32], shrink: float = 1.0) -> NDArray[np.int32]:
    """Return the convex hull of projected discs, (N, 1, 2) pixels.

    A shrunken outline lies towards the upper left, where the light comes from.
    """
    radii = discs[:, 3:] * shrink
    centres = discs[:, :2] - (discs[:, 3:] - radii) * (0.3, 0.2)
    points = centres[:, None] + radii[:, None] * _CIRCLE
    hull = cv2.convexHull(points.reshape(-1, 2).round().astype(np.int32))
    return np.asarray(hull, np.int32)


def _fill(
    canvas: Image, outlines: list[NDArray[np.int32]], fill: Colour | Garment, view: View
) -> None:
    if isinstance(fill, Garment) and fill.pattern in LAYOUTS:
        _fill_pattern(canvas, outlines, fill, view)
        return
    colour = fill.base if isinstance(fill, Garment) else fill
    for outline in outlines:
        cv2.fillConvexPoly(canvas, outline, colour)


def _fill_pattern(
    canvas: Image, outlines: list[NDArray[np.int32]], garment: Garment, view: View
) -> None:
    left, top, width, height = cv2.boundingRect(np.concatenate(outlines))
    left, right = np.clip((left, left + width), 0, canvas.shape[1])
    top, bottom = np.clip((top, top + height), 0, canvas.shape[0])
    if left == right or top == bottom:
        return
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for outline in outlines:
        cv2.fillConvexPoly(mask, outline - (left, top), 255)
    x, y = np.meshgrid(
        (np.arange(left, right) - view.x) / view.scale,
        (np.arange(top, bottom) - view.y) / view.scale,
    )
    accent = LAYOUTS[garment.pattern](x, y)[..., None]
    cloth = np.where(accent, garment.accent, garment.base).astype(np.uint8)
    cv2.copyTo(cloth, mask, canvas[top:bottom, left:right])
