"""Contribution of every head to the score difference of texts A and B.

A head's part is its difference from the average image: (c_h - m_h)·(t_A - t_B). These parts, that of MLPs,
earlier layers and input, and the difference of the average image sum to e·(t_A - t_B).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Why(NamedTuple):
    """Parts of a score difference; `heads.sum() + rest + average` is the difference."""

    heads: NDArray[np.float64]
    """[head] Part of each head beyond the average image."""

    rest: float
    """Part of MLPs, earlier layers and input beyond the average image."""

    average: float
    """Score difference of the average image of the bundle."""

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
    """Decomposes e·`direction`: [d_out] t_A - t_B; `coordinates` [head, rank] are uncentered."""
    direction_in_heads = basis.astype(np.float64) @ direction  # [head, rank]
    average = float(mean_embedding @ direction)
    heads = np.einsum("hr,hr->h", coordinates - mean, direction_in_heads)
    average_rest = average - float(np.einsum("hr,hr->", mean, direction_in_heads))
    return Why(heads, float(rest @ direction) - average_rest, average)
