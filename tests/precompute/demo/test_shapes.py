"""Shapes and patterns of scenes, at points and areas worked out by hand."""

import numpy as np
import pytest

from precompute.demo.shapes import DISTANCE, PATTERN, distance, second_tone, unit_area


def grid(*points: float) -> np.ndarray:
    return np.array([points], dtype=float)


def test_distances_are_in_pixels_and_negative_inside():
    x, y = grid(0, 10, 20), grid(0, 0, 0)

    assert distance("circle", x, y, radius=10.0)[0].tolist() == [-10, 0, 10]
    assert distance("square", x, y, radius=10.0)[0] == pytest.approx([-8.6, 1.4, 11.4])
    assert distance("ring", x, y, radius=10.0)[0] == pytest.approx([4.4, 0, 10])


@pytest.mark.parametrize(
    ("shape", "area"),
    [
        ("circle", np.pi),
        ("square", 1.72**2),
        ("cross", 2 * 2 * 0.72 - 0.72**2),
        ("triangle", 2.1 * 1.9 / 2),
        ("ring", np.pi * (1 - 0.44**2)),
    ],
)
def test_areas_are_those_of_geometry(shape, area):
    assert unit_area(shape) == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("shape", DISTANCE)
def test_every_shape_ends_within_one_and_a_half_radii(shape):
    assert 1 < unit_area(shape) < 4
    assert (distance(shape, grid(-15, 15, 0, 0), grid(0, 0, -15, 15), radius=10.0) > 0).all()


@pytest.mark.parametrize("pattern", PATTERN)
def test_the_second_tone_is_a_share(pattern):
    y, x = np.mgrid[-30:30, -30:30] + 0.5

    share = second_tone(pattern, x, y, radius=30.0)

    assert share.min() >= 0 and share.max() <= 1
    assert share.any() == (pattern != "plain")


def test_the_lower_half_of_a_halved_object_has_the_second_tone():
    assert second_tone("halved", grid(0, 0), grid(-5, 5), radius=20.0)[0].tolist() == [0, 1]
