"""Where marks of one place and their names stand in a plot, so that none covers another. Pixels in and out.

Knows nothing of charts or of bundles.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

APART = 16
"""Room between marks that stand side by side."""

LETTER, LINE = 6.6, 16
"""Width of a letter and height of a line of names: a little more than they take."""

BESIDE = 10
"""From a mark to its name."""

MARK = 7
"""Half the room of a mark."""

STEPS = 6
"""Lines that a name may move up or down."""


class Box(NamedTuple):
    """A rectangle, from the top left corner of the plot."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """Area that both cover."""
        wide = min(self.right, other.right) - max(self.left, other.left)
        high = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, wide) * max(0.0, high)


class Name(NamedTuple):
    """Where a name stands."""

    y: float
    """Its middle."""

    side: int
    """1 right of its mark, -1 left."""


def side_by_side(px: NDArray[np.float64], order: Sequence[float]) -> NDArray[np.float64]:
    """Move marks that are closer than `APART` to either side of their common middle, by `order`."""
    moved = np.array(px, dtype=float)
    clusters = [[int(one)] for one in np.lexsort((np.asarray(order), np.round(px)))]
    while True:
        middles = [float(np.mean(px[cluster])) for cluster in clusters]
        reach = [APART * (len(cluster) - 1) / 2 for cluster in clusters]
        gaps = [middles[i + 1] - reach[i + 1] - middles[i] - reach[i] for i in range(len(clusters) - 1)]
        close = next((i for i, gap in enumerate(gaps) if gap < APART), None)
        if close is None:
            break
        clusters[close : close + 2] = [clusters[close] + clusters[close + 1]]
    for cluster, middle, half in zip(clusters, middles, reach, strict=True):
        moved[cluster] = middle - half + APART * np.arange(len(cluster))
    return moved


def name_places(
    marks: Sequence[tuple[float, float]],
    taken: Sequence[Box],
    names: Sequence[str],
    width: float,
    height: float,
) -> list[Name]:
    """A place beside each mark for its name: right of it if that covers nothing, else left, or lines off.

    `taken` is what names must not cover; where all places do, the one that covers least.
    """
    covered, found = list(taken), []
    for (x, y), name in zip(marks, names, strict=True):
        places = [
            Name(y + step * LINE, side)
            for step in sorted(range(-STEPS, STEPS + 1), key=abs)
            for side in (1, -1)
        ]
        boxes = [name_box(x, place, name) for place in places]
        cost = [sum(box.overlap(one) for one in covered) + _outside(box, width, height) for box in boxes]
        best = int(np.argmin(cost))
        covered.append(boxes[best])
        found.append(places[best])
    return found


def name_box(x: float, place: Name, name: str) -> Box:
    """The room of a name beside a mark at x."""
    near, far = x + place.side * BESIDE, x + place.side * (BESIDE + LETTER * len(name))
    return Box(min(near, far), place.y - LINE / 2, max(near, far), place.y + LINE / 2)


def mark_box(x: float, y: float) -> Box:
    return Box(x - MARK, y - MARK, x + MARK, y + MARK)


def _outside(box: Box, width: float, height: float) -> float:
    """Area of a name beyond the plot: worse than covering as much."""
    return 10 * ((box.right - box.left) * (box.bottom - box.top) - box.overlap(Box(0, 0, width, height)))
