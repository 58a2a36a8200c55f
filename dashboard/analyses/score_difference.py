"""Why one image is more of text A than of text B: the heads that decide.

Each head is compared with what it gives the average image: (c_h - m_h)·(t_A - t_B). What the average image
scores, and what MLPs, earlier layers and input add, stand beside; all of it sums to the score difference
e·(t_A - t_B).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Why(NamedTuple):
    """A score difference taken apart; `heads.sum() + rest + average` is the difference."""

    heads: NDArray[np.float64]
    """[head] What each head adds to the average image's difference."""

    rest: float
    """What MLPs, earlier layers and input add to it."""

    average: float
    """The difference that the average image of the bundle scores."""

    @property
    def difference(self) -> float:
        return float(self.heads.sum()) + self.rest + self.average


def why(
    coordinates: NDArray,
    mean: NDArray,
    basis: NDArray,
    rest: NDArray,
    mean_embedding: NDArray,
    direction: NDArray,
) -> Why:
    """Take e·`direction` apart; `direction` [d_out] is t_A - t_B, coordinates [head, rank] are uncentered."""
    seen = basis.astype(np.float64) @ direction  # [head, rank]
    average = float(mean_embedding @ direction)
    heads = np.einsum("hr,hr->h", coordinates - mean, seen)
    average_rest = average - float(np.einsum("hr,hr->", mean, seen))
    return Why(heads, float(rest @ direction) - average_rest, average)
