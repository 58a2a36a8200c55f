"""Pictures of the planted model: tiles that are sums, so that a linear map reads back what was added.

A tile is gray; an object adds its color within its shape, a picture's grain adds faint patterns to all of its
tiles. All levels are whole numbers, so nothing is lost in a file, and `readers` is the pseudo-inverse of that
sum: applied to a tile it gives back what is in it, exactly.
"""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int, Int64, UInt8

from precompute.demo.hashing import Stream, noise
from precompute.demo.planted.model import (
    COLORS,
    GRAINS,
    GRID,
    IMAGE_SIZE,
    MEAN,
    OBJECTS,
    OF_MAIN_COLOR,
    POSITIONS,
    SHAPES,
    STD,
    TILE,
)
from precompute.demo.shapes import distance

SEED = 7
GRAY, TINT, GRAIN = 102, 102, 3
"""Levels of 255: an empty tile, what a color adds to its channel, what each grain adds or takes."""

RADIUS = 6.5
EMPTY = -1


class Picture(NamedTuple):
    """All that is in one picture."""

    color: int
    """Main color; place in COLORS."""

    shape: int
    position: int
    tiles: Int64[np.ndarray, "row column"]
    """Color of the object on each tile, EMPTY where there is none."""

    grain: Int64[np.ndarray, " grain"]
    """Signs, -1 or 1, the same on all tiles."""


@cache
def pictures() -> tuple[Picture, ...]:
    """Every two values of two attributes together as often as their weights say; the same every time."""
    chosen = _chosen()
    grain = _signs(len(chosen))
    return tuple(
        Picture(color, shape, position, _arranged(color, position, Stream(SEED, index)), grain[index])
        for index, (color, shape, position) in enumerate(chosen)
    )


def name(index: int) -> str:
    """File name of a picture."""
    return f"planted_{index:03d}.png"


def draw(picture: Picture) -> UInt8[np.ndarray, "y x 3"]:
    """The picture itself."""
    ground = GRAY + GRAIN * np.tensordot(picture.grain, _grains(), axes=1)
    canvas = np.tile(ground[..., None], (GRID, GRID, 3))
    object_ = TINT * _masks()[picture.shape]
    for row, column in np.argwhere(picture.tiles != EMPTY):
        y, x = slice(row * TILE, row * TILE + TILE), slice(column * TILE, column * TILE + TILE)
        canvas[y, x, picture.tiles[row, column]] += object_
    assert canvas.shape == (IMAGE_SIZE, IMAGE_SIZE, 3) and 0 <= canvas.min() <= canvas.max() <= 255
    return canvas.astype(np.uint8)


class Readers(NamedTuple):
    """What a tile's normalized pixels are multiplied by to read what is in it; 0 where it is not there."""

    color: Float64[np.ndarray, "color 3 y x"]
    shape: Float64[np.ndarray, "shape 3 y x"]
    object: Float64[np.ndarray, "3 y x"]
    grain: Float64[np.ndarray, "grain 3 y x"]


def readers() -> Readers:
    """The pseudo-inverse of how a tile is made."""
    unit = np.eye(3)
    objects = TINT * np.einsum("syx,cd->scdyx", _masks(), unit)  # [shape, color, 3, y, x]
    grains = GRAIN * np.einsum("gyx,d->gdyx", _grains(), np.ones(3))
    parts = np.concatenate([objects.reshape(-1, 3 * TILE * TILE), grains.reshape(GRAINS, -1)])
    assert MEAN == (GRAY / 255,) * 3, "an empty tile must be what the model sees as zero"
    inverse = np.linalg.pinv(parts / (255 * STD[0])).T  # [part, pixel]
    of_object = inverse[:-GRAINS].reshape(objects.shape)
    return Readers(
        color=of_object.sum(axis=0),
        shape=of_object.sum(axis=1),
        object=of_object.sum(axis=(0, 1)),
        grain=inverse[-GRAINS:].reshape(GRAINS, 3, TILE, TILE),
    )


def _chosen() -> list[tuple[int, int, int]]:
    """Color, shape and position of every picture; any two of them independent, exactly."""
    colors, shapes, positions = (_by_weight(weights) for weights in (COLORS, SHAPES, POSITIONS))
    return [
        (color, shape, positions[(at + by + turn) % len(positions)])
        for (at, color), (by, shape), turn in product(enumerate(colors), enumerate(shapes), (0, 3))
    ]


def _by_weight(weights: dict[str, int]) -> list[int]:
    return [place for place, weight in enumerate(weights.values()) for _ in range(weight)]


def _signs(count: int) -> Int64[np.ndarray, "image grain"]:
    """Balanced and pairwise uncorrelated to the last digit, in an order that knows nothing of the pictures.

    The twelve rows of Plackett and Burman 1946, again and again.
    """
    first = np.array([1, 1, -1, 1, 1, 1, -1, -1, -1, 1, -1])
    rows = np.stack([*(np.roll(first, shift) for shift in range(11)), np.full(11, -1)])
    order = _shuffled(np.arange(count) % len(rows), Stream(SEED + 1, 0))
    return rows[order, :GRAINS].astype(np.int64)


def _arranged(color: int, position: int, stream: Stream) -> Int64[np.ndarray, "row column"]:
    """Objects on some tiles of one third of the picture: most of the main color, one of each other."""
    others = [other for other in range(len(COLORS)) if other != color]
    wide = GRID // len(POSITIONS)
    third = np.full(GRID * wide, EMPTY)
    third[:OBJECTS] = [color] * OF_MAIN_COLOR + others
    tiles = np.full((GRID, GRID), EMPTY)
    tiles[:, position * wide : (position + 1) * wide] = _shuffled(third, stream).reshape(GRID, wide)
    return tiles


def _shuffled(values: Int[np.ndarray, " n"], stream: Stream) -> Int64[np.ndarray, " n"]:
    """Fisher and Yates."""
    out = values.astype(np.int64)
    for last in range(len(out) - 1, 0, -1):
        other = stream.below(last + 1)
        out[[last, other]] = out[[other, last]]
    return out


@cache
def _masks() -> Bool[np.ndarray, "shape y x"]:
    side = np.arange(TILE) + 0.5 - TILE / 2
    y, x = np.meshgrid(side, side, indexing="ij")
    return np.stack([distance(shape, x, y, RADIUS) < 0 for shape in SHAPES])


@cache
def _grains() -> Int64[np.ndarray, "grain y x"]:
    """Signs that look like grain, one pattern for each."""
    y, x = np.meshgrid(np.arange(TILE), np.arange(TILE), indexing="ij")
    return np.stack([np.where(noise(x, y, SEED + number) < 0.5, -1, 1) for number in range(GRAINS)])
