"""Positions of marks and their names in a plot, so that no name covers another. Pixels in and out.

Knows nothing of charts or bundles.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

APART = 16
"""Distance of marks that stand side by side."""

LETTER, LINE = 6.6, 16
"""Width of a letter and height of a line of names, rounded up."""

BESIDE = 10
"""Distance of a name from its mark."""

MARK = 7
"""Half the width of a mark."""

STEPS = sorted(range(-6, 7), key=abs)
"""Lines that a name may move up or down, the nearest first."""


class Box(NamedTuple):
    """A rectangle, from the top left corner of the plot."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: "Box") -> bool:
        across = min(self.right, other.right) > max(self.left, other.left)
        return across and min(self.bottom, other.bottom) > max(self.top, other.top)

    def lies_in(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.top >= 0 and self.right <= width and self.bottom <= height


class Name(NamedTuple):
    """Position of a name beside its mark."""

    y: float
    """Vertical center."""

    side: int
    """1 right of its mark, -1 left, 0 if the name has no free place and is left out."""


def side_by_side(px: NDArray[np.float64], order: Sequence[float]) -> NDArray[np.float64]:
    """Returns positions at least `APART` from each other: close marks spread from their center by `order`."""

    def spread(rows: list[int]) -> NDArray[np.float64]:
        return px[rows].mean() + APART * (np.arange(len(rows)) - (len(rows) - 1) / 2)

    clusters: list[list[int]] = []
    for row in np.lexsort((np.asarray(order), np.round(px))):
        cluster = [int(row)]
        while clusters and spread(cluster)[0] - spread(clusters[-1])[-1] < APART:
            cluster = clusters.pop() + cluster
        clusters.append(cluster)
    moved = np.empty(len(px))
    for cluster in clusters:
        moved[cluster] = spread(cluster)
    return moved


def name_places(
    marks: Iterable[tuple[float, float]],
    obstacles: Iterable[Box],
    names: Sequence[str],
    width: float,
    height: float,
) -> list[Name]:
    """Returns a free place for every name: right of its mark, else left of it, else some lines up or down."""
    boxes, places = list(obstacles), []
    for (x, y), name in zip(marks, names, strict=True):
        place = Name(y, 0)
        for candidate in (Name(y + step * LINE, side) for step in STEPS for side in (1, -1)):
            box = name_box(x, candidate, name)
            if box.lies_in(width, height) and not any(map(box.overlaps, boxes)):
                place = candidate
                boxes.append(box)
                break
        places.append(place)
    return places


def name_box(x: float, place: Name, name: str) -> Box:
    """Returns the rectangle of a name beside a mark at `x`."""
    near, far = x + place.side * BESIDE, x + place.side * (BESIDE + LETTER * len(name))
    return Box(min(near, far), place.y - LINE / 2, max(near, far), place.y + LINE / 2)


def mark_box(x: float, y: float) -> Box:
    return Box(x - MARK, y - MARK, x + MARK, y + MARK)
