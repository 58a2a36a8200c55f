"""The direction in which each text of a head sorts its images.

TEXTSPAN takes a text's direction off the head before it picks the next, so pick k stands for the unit vector
u_k: its text less its part along all picks before it (Gandelsman et al. 2024, Algorithm 1). An image lies on
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
"""Of a text's length: what is left of one that lies within the span of those before it is rounding."""


class Along(NamedTuple):
    """All images along the direction of one pick."""

    value: NDArray[np.float64]
    """[image] y·u_k in standard deviations over the images; 0 is the average image."""

    share: float
    """Share of the head's variance along this direction."""

    @property
    def nbytes(self) -> int:
        return self.value.nbytes


def directions(text: NDArray) -> NDArray[np.float64]:
    """Unit residual directions of texts [k, rank], in the order of choice -> [k, rank], at right angles.

    Raises:
        ValueError: a text has nothing left beyond those before it, as no pick of TEXTSPAN has.
    """
    found = np.zeros(text.shape, np.float64)
    for place, own in enumerate(text.astype(np.float64)):
        before = found[:place]
        left = own - before.T @ (before @ own)
        left -= before.T @ (before @ left)  # once is not enough where texts are nearly parallel
        length = np.linalg.norm(left)
        if not length > SPENT * np.linalg.norm(own):
            raise ValueError(
                f"the text at position {place} has no direction of its own: it lies within those before it."
            )
        found[place] = left / length
    return found


def along(blocks: Iterable[NDArray], direction: NDArray) -> Along:
    """Images, centered, in blocks [image, rank], along one direction [rank]."""
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
    if not spread > 0:  # the head does not move along it: every image is the average image
        return Along(np.zeros(len(value)), 0.0)
    return Along((value - value.mean()) / spread, float(spread**2 / total))


def ends(value: NDArray, k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the `k` largest and the `k` smallest values, the outermost first; ties in row order.

    No row stands in both: of few images each end gets half at most.
    """
    k = min(k, len(value) // 2)
    return np.argsort(-value, kind="stable")[:k], np.argsort(value, kind="stable")[:k]


def draw(images: int, k: int, seed: int) -> NDArray[np.int64]:
    """Rows of `k` images drawn at random, each at most once; another `seed` draws others."""
    return np.random.default_rng(seed).permutation(images)[:k]
