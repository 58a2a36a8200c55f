"""Pictures of the planted model: tiles are sums, so that a linear map recovers their terms.

A tile is gray; an object adds its color inside its shape, and the grain of a picture adds faint patterns to
all its tiles. All levels are integers, so a file loses nothing. `readers` is the pseudo-inverse of the sum:
applied to a tile it gives the terms exactly.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64, UInt8

from precompute.demo.hashing import Stream, noise
from precompute.demo.planted import model as plan
from precompute.demo.planted.shapes import distance

SEED = 7
GRAY, TINT, GRAIN = 102, 102, 3
"""Levels of 255: gray of an empty tile, increment of a color in its channel, amplitude of each grain."""

RADIUS = 6.5
EMPTY = -1


class Picture(NamedTuple):
    """The content of one picture."""

    color: int
    """Main color, as an index into COLORS."""

    shape: int
    position: int
    tiles: Int64[np.ndarray, "row column"]
    """Color of the object on each tile; EMPTY for a tile without an object."""

    grain: Int64[np.ndarray, " grain"]
    """Sign of each grain pattern, -1 or 1, the same on all tiles."""


@cache
def pictures() -> tuple[Picture, ...]:
    """Returns all pictures; pairs of values of two attributes have the product of their frequencies."""
    attributes = _attributes()
    grain = _signs(len(attributes))
    return tuple(
        Picture(color, shape, position, _tiles(color, position, Stream(SEED, index)), grain[index])
        for index, (color, shape, position) in enumerate(attributes)
    )


def name(index: int) -> str:
    """Returns the file name of a picture."""
    return f"planted_{index:03d}.png"


def draw(picture: Picture) -> UInt8[np.ndarray, "y x 3"]:
    """Returns the pixels of a picture."""
    ground = GRAY + GRAIN * np.tensordot(picture.grain, _grains(), axes=1)
    canvas = np.tile(ground[..., None], (plan.GRID, plan.GRID, 3))
    object_ = TINT * _masks()[picture.shape]
    tiles = canvas.reshape(plan.GRID, plan.TILE, plan.GRID, plan.TILE, 3)
    for row, column in np.argwhere(picture.tiles != EMPTY):
        tiles[row, :, column, :, picture.tiles[row, column]] += object_
    assert canvas.shape == (plan.IMAGE_SIZE, plan.IMAGE_SIZE, 3) and 0 <= canvas.min() <= canvas.max() <= 255
    return canvas.astype(np.uint8)


def readers() -> Float64[np.ndarray, "term 3 y x"]:
    """Returns the pseudo-inverse of the sum that makes a tile: filters for its normalized pixels.

    Each filter gives the amount of one term, 0 if it is absent: colors, shapes, grains, then an object.
    """
    unit = np.eye(3)
    objects = TINT * np.einsum("syx,cd->scdyx", _masks(), unit)  # [shape, color, 3, y, x]
    grains = GRAIN * np.einsum("gyx,d->gdyx", _grains(), np.ones(3))
    parts = np.concatenate([objects.reshape(-1, 3 * plan.TILE * plan.TILE), grains.reshape(plan.GRAINS, -1)])
    assert plan.MEAN == (GRAY / 255,) * 3, "an empty tile must be zero for the model"
    inverse = np.linalg.pinv(parts / (255 * plan.STD[0])).T  # [part, pixel]
    of_object = inverse[: -plan.GRAINS].reshape(objects.shape)
    color, shape, object_ = of_object.sum(axis=0), of_object.sum(axis=1), of_object.sum(axis=(0, 1))
    grain = inverse[-plan.GRAINS :].reshape(plan.GRAINS, 3, plan.TILE, plan.TILE)
    return np.concatenate([color, shape, grain, object_[None]])


def _attributes() -> list[tuple[int, int, int]]:
    """Returns color, shape and position of every picture; any two of them are exactly independent."""
    colors, shapes, positions = map(_by_weight, (plan.COLORS, plan.SHAPES, plan.POSITIONS))
    return [
        (color, shape, positions[(i + j + shift) % len(positions)])
        for (i, color), (j, shape), shift in product(enumerate(colors), enumerate(shapes), (0, 3))
    ]


def _by_weight(weights: dict[str, int]) -> list[int]:
    return [index for index, weight in enumerate(weights.values()) for _ in range(weight)]


def _signs(count: int) -> Int64[np.ndarray, "image grain"]:
    """Returns signs that are exactly balanced and pairwise uncorrelated, shuffled over the pictures.

    The twelve rows of the Plackett-Burman design (1946), repeated.
    """
    first = np.array([1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1])
    rows = np.stack([*(np.roll(first, shift) for shift in range(11)), np.full(11, -1)])
    order = _shuffled(np.arange(count) % len(rows), Stream(SEED + 1, 0))
    return rows[order, : plan.GRAINS].astype(np.int64)


def _tiles(color: int, position: int, stream: Stream) -> Int64[np.ndarray, "row column"]:
    """Returns objects on random tiles of one third: most have the main color, one has each other color."""
    others = [other for other in range(len(plan.COLORS)) if other != color]
    width = plan.GRID // len(plan.POSITIONS)
    third = np.full(plan.GRID * width, EMPTY)
    third[: plan.OBJECTS] = [color] * plan.OF_MAIN_COLOR + others
    tiles = np.full((plan.GRID, plan.GRID), EMPTY)
    tiles[:, position * width : (position + 1) * width] = _shuffled(third, stream).reshape(plan.GRID, width)
    return tiles


def _shuffled(values: Int[np.ndarray, " n"], stream: Stream) -> Int64[np.ndarray, " n"]:
    """Returns a Fisher-Yates shuffle of the values."""
    out = values.astype(np.int64)
    for last in range(len(out) - 1, 0, -1):
        other = stream.below(last + 1)
        out[[last, other]] = out[[other, last]]
    return out


@cache
def _masks() -> Bool[np.ndarray, "shape y x"]:
    side = np.arange(plan.TILE) + 0.5 - plan.TILE / 2
    y, x = np.meshgrid(side, side, indexing="ij")
    return np.stack([distance(shape, x, y, RADIUS) < 0 for shape in plan.SHAPES])


@cache
def _grains() -> Int64[np.ndarray, "grain y x"]:
    """Returns the patterns of the grain, random signs of the pixels."""
    y, x = np.meshgrid(np.arange(plan.TILE), np.arange(plan.TILE), indexing="ij")
    return np.stack([np.where(noise(x, y, SEED + number) < 0.5, -1, 1) for number in range(plan.GRAINS)])
