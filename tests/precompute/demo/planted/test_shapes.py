"""Shapes of the planted model, at points worked out by hand."""

import numpy as np
import pytest

from precompute.demo.planted.shapes import DISTANCE, distance


def grid(*points: float) -> np.ndarray:
    return np.array([points], dtype=float)


def area(shape: str) -> float:
    """Returns the area of a shape of radius 1, counted on a grid."""
    side = (np.arange(400) + 0.5) / 400 * 3.0 - 1.5
    y, x = np.meshgrid(side, side, indexing="ij")
    return (distance(shape, x, y, radius=1.0) < 0).sum() * (3.0 / 400) ** 2


def test_distances_are_in_pixels_and_negative_inside():
    x, y = grid(0, 10, 20), grid(0, 0, 0)

    assert distance("circle", x, y, radius=10.0)[0].tolist() == [-10, 0, 10]
    assert distance("square", x, y, radius=10.0)[0] == pytest.approx([-8.6, 1.4, 11.4])
    assert distance("ring", x, y, radius=10.0)[0] == pytest.approx([4.4, 0, 10])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("circle", np.pi),
        ("square", 1.72**2),
        ("cross", 2 * 2 * 0.72 - 0.72**2),
        ("triangle", 2.1 * 1.9 / 2),
        ("ring", np.pi * (1 - 0.44**2)),
    ],
)
def test_areas_are_those_of_geometry(shape, expected):
    assert set(DISTANCE) == {"circle", "square", "cross", "triangle", "ring"}
    assert area(shape) == pytest.approx(expected, rel=0.01)
