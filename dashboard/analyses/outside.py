"""Tests of a query: it may lie outside what a set of images, or a head, is about. Numpy only.

An image lies outside the image set if its nearest image is farther than nearly every image of the set is from
its own nearest. A text lies outside a head if the head varies along it less than along most directions of its
space: these are the head's rotations (docs/method.md), of which a text sees the spectrum alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FAR = 0.99
"""Share of the image set whose nearest image is nearer than that of an image outside."""

MIN_IMAGES = 100
"""Fewest images that have a 99th part."""

ROWS = 4096
"""Images compared at once: [image, query] of a whole bundle would not fit beside the vectors."""

DRAWS = 2000
"""Random directions of a head's space."""

Block = tuple[Sequence[NDArray], NDArray]
"""Centered coordinates of images, [image, rank] per head, and lengths of mean contributions, [image]."""


class Reading(NamedTuple):
    """Variance of a head along a text, beside that along random directions."""

    share: float
    """Share of the head's variance along the text."""

    chance: float
    """Median share along random directions of its space."""

    exceeded: float
    """Share of the random directions along which it varies at least as much."""

    @property
    def outside(self) -> bool:
        """True if the head varies along the text less than along most directions."""
        return self.exceeded > 0.5


def nearest_distances(
    blocks: Iterable[Block], vectors: NDArray, lengths: NDArray, own: NDArray | None = None
) -> NDArray[np.float64]:
    """Returns the distance of every query to its nearest image, [query], by their mean contributions.

    `vectors` [query, head, rank] and `lengths` [query] are those of `neighbors.image_query`; `own` is the row
    of each query among the images, which is left out.
    """
    nearest = np.full(len(vectors), np.inf)
    start = 0
    for rows, norms in _parts(blocks):
        inner = sum(head @ vectors[:, place].T for place, head in enumerate(rows))  # [image, query]
        squared = norms[:, None].astype(np.float64) ** 2 + lengths**2 - 2 * inner
        if own is not None:
            here = np.flatnonzero((own >= start) & (own < start + len(norms)))
            squared[own[here] - start, here] = np.inf
        nearest = np.minimum(nearest, squared.min(axis=0, initial=np.inf))
        start += len(norms)
    return np.sqrt(np.maximum(nearest, 0))


def _parts(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yields the blocks in parts of at most ROWS images: a bundle in memory is one block."""
    for rows, norms in blocks:
        for start in range(0, len(norms), ROWS):
            part = slice(start, start + ROWS)
            yield [head[part] for head in rows], norms[part]


def share_nearer(distance: float, typical: NDArray) -> float:
    """Returns the share of the image set whose nearest image is nearer than `distance`."""
    return float((typical < distance).mean())


def reading(text: NDArray, covariance: NDArray, rank: int, *, seed: int = 0) -> Reading | None:
    """Returns how much a head of this covariance, [rank, rank], varies along a text [rank].

    None if the head does not vary, or the text has no part in its space.
    """
    total, length = float(np.trace(covariance)), float(text @ text)
    if not total > 0 or not length > 0:
        return None
    spectrum = np.linalg.eigvalsh(covariance)[::-1][:rank] / total
    draws = np.random.default_rng(seed).standard_normal((DRAWS, rank)) ** 2
    shares = draws @ spectrum / draws.sum(axis=1)
    share = float(text @ covariance @ text) / length / total
    return Reading(share, float(np.median(shares)), float((shares >= share).mean()))
