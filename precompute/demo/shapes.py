"""Shapes and patterns of the objects in scenes, as arithmetic on pixel coordinates.

A shape is its signed distance (negative inside), a pattern is the share of a second tone at each pixel. Only
+ - * / and square roots are used, since every machine rounds these alike. Distances after Inigo Quilez
(https://iquilezles.org/articles/distfunctions2d).
"""

from functools import cache

import numpy as np
from jaxtyping import Float64

Grid = Float64[np.ndarray, "y x"]


def _length(x: Grid, y: Grid) -> Grid:
    return np.sqrt(x * x + y * y)


def _circle(x: Grid, y: Grid) -> Grid:
    return _length(x, y) - 1.0


def _ring(x: Grid, y: Grid) -> Grid:
    return np.abs(_length(x, y) - 0.72) - 0.28


def _square(x: Grid, y: Grid) -> Grid:
    return np.maximum(np.abs(x), np.abs(y)) - 0.86


def _cross(x: Grid, y: Grid) -> Grid:
    x, y = np.abs(x), np.abs(y)
    return np.minimum(np.maximum(x - 1.0, y - 0.36), np.maximum(x - 0.36, y - 1.0))


def _triangle(x: Grid, y: Grid) -> Grid:
    # Apex (0, -1.05), base y = 0.85 from -1.05 to 1.05; the long sides' unit normal is (1.9, -1.05) / 2.1708.
    side = (np.abs(x) * 1.9 - (y + 1.05) * 1.05) / 2.17083
    return np.maximum(side, y - 0.85)


def _star(x: Grid, y: Grid) -> Grid:
    # Fold the plane onto one half of one point of the star, then compute the distance to its edge.
    x, y = np.abs(x), -y / 1.08 + 0.06
    x = x / 1.08
    for fold_x, fold_y in ((0.809016994375, -0.587785252292), (-0.809016994375, -0.587785252292)):
        over = 2.0 * np.maximum(fold_x * x + fold_y * y, 0.0)
        x, y = x - over * fold_x, y - over * fold_y
    x, y = np.abs(x), y - 1.0
    edge_x, edge_y = 0.56 * 0.587785252292, 0.56 * 0.809016994375 - 1.0
    along = np.clip((x * edge_x + y * edge_y) / (edge_x * edge_x + edge_y * edge_y), 0.0, 1.0)
    distance = _length(x - edge_x * along, y - edge_y * along)
    return 1.08 * distance * np.where(y * edge_x - x * edge_y > 0.0, 1.0, -1.0)


def _heart(x: Grid, y: Grid) -> Grid:
    x, y = np.abs(x) / 1.7, -y / 1.7 + 0.54
    lobe = _length(x - 0.25, y - 0.75) - 0.353553390593
    half = 0.5 * np.maximum(x + y, 0.0)
    tip = np.minimum(_length(x, y - 1.0), _length(x - half, y - half))
    return 1.7 * np.where(x + y > 1.0, lobe, tip * np.where(x > y, 1.0, -1.0))


def _moon(x: Grid, y: Grid) -> Grid:
    x = x - 0.2
    return np.maximum(_length(x, y) - 1.0, 0.8 - _length(x - 0.72, y))


DISTANCE = {
    "circle": _circle, "square": _square, "triangle": _triangle, "star": _star,
    "heart": _heart, "cross": _cross, "ring": _ring, "moon": _moon,
}  # fmt: skip


@cache
def unit_area(shape: str) -> float:
    """Returns the area of a shape of radius 1, counted on a grid."""
    side = (np.arange(400) + 0.5) / 400 * 3.0 - 1.5
    y, x = np.meshgrid(side, side, indexing="ij")
    return int((DISTANCE[shape](x, y) < 0).sum()) * (3.0 / 400) ** 2


def _saw(value: Grid, period: float) -> Grid:
    """Returns the signed distance in pixels to the nearest edge of bands that are half a period wide."""
    phase = value / period
    return (np.abs(phase - np.floor(phase) - 0.5) - 0.25) * period


def _striped(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    return _saw((x + y) * 0.70710678, period) + 0.5


def _dotted(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    row = np.floor(y / period + 0.5)
    x = x + 0.5 * period * (row - 2.0 * np.floor(row / 2.0))
    column = np.floor(x / period + 0.5)
    return 0.34 * period - _length(x - column * period, y - row * period) + 0.5


def _checkered(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    across, down = _saw(x, 1.35 * period), _saw(y, 1.35 * period)
    same = np.where(across * down > 0.0, 1.0, -1.0)
    return same * np.minimum(np.abs(across), np.abs(down)) + 0.5


def _shaded(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    return (x / radius + 0.9) / 1.8


def _halved(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    return y + 0.5


def _plain(x: Grid, y: Grid, radius: float, period: float) -> Grid:
    return np.zeros_like(x)


PATTERN = {
    "plain": _plain, "striped": _striped, "dotted": _dotted,
    "checkered": _checkered, "shaded": _shaded, "halved": _halved,
}  # fmt: skip


def distance(shape: str, x: Grid, y: Grid, radius: float) -> Grid:
    """Returns the signed distance in pixels from each pixel to the edge of the shape."""
    return DISTANCE[shape](x / radius, y / radius) * radius


def second_tone(pattern: str, x: Grid, y: Grid, radius: float) -> Grid:
    """Returns the share of the second tone at each pixel, 0 to 1."""
    period = min(26.0, max(14.0, radius * 0.55))
    return np.clip(PATTERN[pattern](x, y, radius, period), 0.0, 1.0)
