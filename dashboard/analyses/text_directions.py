"""The direction along which each text of a head sorts the images.

TEXTSPAN removes a text's direction from the head before it picks the next, so pick k has the unit vector
u_k: its text minus its part along all picks before it (Gandelsman et al. 2024, Algorithm 1). An image lies on
it at y·u_k, for centered coordinates y; the share of the head's variance that it carries is
var(y·u_k) / tr S, the stored variance_share. Texts come in uncentered, as the method reads them.

The first direction is the first text's own: more of it is more of the text. Directions after that are
residuals, and which of their ends is the text's is a convention: both ends are worth seeing.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPENT = 1e-5
"""Share of a text's length below which the rest is rounding: the text is in the span of those before it."""


ROUNDING = 2.0**-22
"""Share of the head's variance below which a direction holds the rounding of stored coordinates: float16 has
11 binary digits."""


class Along(NamedTuple):
    """Positions of all images along the direction of one pick."""

    value: NDArray[np.float64]
    """[image] y·u_k in standard deviations over the images; 0 is the average image."""

    share: float
    """Share of the head's variance along this direction."""

    @property
    def nbytes(self) -> int:
        return self.value.nbytes


def directions(text: NDArray) -> NDArray[np.float64]:
    """Returns orthogonal unit residual directions, [k, rank], of texts [k, rank] in the order of selection.

    Raises:
        ValueError: a text lies in the span of those before it, which no pick of TEXTSPAN does.
    """
    units = np.zeros(text.shape, np.float64)
    for place, row in enumerate(text.astype(np.float64)):
        before = units[:place]
        residual = row - before.T @ (before @ row)
        residual -= before.T @ (before @ residual)  # twice, for nearly parallel texts
        length = np.linalg.norm(residual)
        if not length > SPENT * np.linalg.norm(row):
            raise ValueError(
                f"the text at position {place} has no direction of its own: it lies within those before it."
            )
        units[place] = residual / length
    return units


def along(blocks: Iterable[NDArray], direction: NDArray) -> Along:
    """Returns the positions of images, centered in blocks [image, rank], along a direction [rank]."""
    values, squares = [], 0.0
    first = np.zeros(len(direction))
    for block in blocks:
        y = block.astype(np.float64)
        values.append(y @ direction)
        first += y.sum(axis=0)
        squares += float((y**2).sum())
    value = np.concatenate(values)
    total = squares / len(value) - float(((first / len(value)) ** 2).sum())
    spread = value.std()
    if not spread**2 > ROUNDING * total:  # no variance in this direction: every image is the average image
        return Along(np.zeros(len(value)), 0.0)
    return Along((value - value.mean()) / spread, float(spread**2 / total))


def ends(value: NDArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Returns rows of the `k` largest and the `k` smallest values, the extremes first; ties in row order.

    The ends are disjoint: each has at most half of the images.
    """
    k = min(k, len(value) // 2)
    return np.argsort(-value, kind="stable")[:k], np.argsort(value, kind="stable")[:k]


def draw(images: int, k: int, seed: int) -> NDArray[np.int64]:
    """Returns `k` random rows of images, without replacement."""
    return np.random.default_rng(seed).permutation(images)[:k]
