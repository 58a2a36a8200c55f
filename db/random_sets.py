"""Random sets of heads of like variance: the control that a set of heads is compared with, by one rule.

The validation stage and the pages draw by it, and neither may import the other, so it stands here. Knows
nothing of bundles: numbers in, sets out.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

SETS = 20
"""Random sets that a set of heads is compared with, at most."""

DRAWS = 2000
"""Sets drawn to choose them from."""


def random_sets(variance: NDArray, chosen: Sequence[int], seed: int) -> list[tuple[int, ...]]:
    """At most SETS random sets of as many heads, of about the same total variance; the closest first.

    Of DRAWS sets drawn from the heads that are not `chosen`, those whose summed variance is closest to that
    of `chosen`. Where fewer than SETS such sets exist, sets are drawn from all heads, and the set itself is
    left out. Each set is there once. `variance` [head] is tr S of each head, the square of its importance.
    """
    own = sorted(set(chosen))
    heads = np.setdiff1d(np.arange(len(variance)), own)
    if comb(len(heads), len(own)) < SETS:
        heads = np.arange(len(variance))
    drawn = np.array(sorted(_draw(heads, len(own), seed) - {tuple(own)}))
    if not len(drawn):
        return []
    distance = np.abs(variance[drawn].sum(axis=-1) - variance[own].sum())
    return [tuple(drawn[place].tolist()) for place in distance.argsort(kind="stable")[:SETS]]


def _draw(heads: NDArray, size: int, seed: int) -> set[tuple[int, ...]]:
    # The numbers of torch.rand with this seed, which the sets of older bundles were drawn by.
    bits = np.random.RandomState(seed).randint(2**32, size=(DRAWS, len(heads)), dtype=np.uint32)
    order = (bits & 0xFFFFFF).argsort(axis=-1, kind="stable")[:, :size]
    return set(map(tuple, np.sort(heads[order], axis=-1).tolist()))
