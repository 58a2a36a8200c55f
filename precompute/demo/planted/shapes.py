"""Shapes of the objects in pictures of the planted model, as signed distances at pixel coordinates.

Negative inside. Only + - * / and square roots are used, since every machine rounds these alike. Distances
after Inigo Quilez (https://iquilezles.org/articles/distfunctions2d).
"""

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


DISTANCE = {
    "circle": _circle, "square": _square, "triangle": _triangle, "cross": _cross, "ring": _ring,
}  # fmt: skip


def distance(shape: str, x: Grid, y: Grid, radius: float) -> Grid:
    """Returns the signed distance in pixels from each pixel to the edge of the shape."""
    return DISTANCE[shape](x / radius, y / radius) * radius
