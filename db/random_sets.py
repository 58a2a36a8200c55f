"""Random sets of heads of similar variance: the control for a set of heads.

The validation stage and the pages share this rule, and neither may import the other. Knows nothing of
bundles: numbers in, sets out.
"""

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

SETS = 20
"""Maximum number of random sets."""

DRAWS = 2000
"""Number of drawn sets, from which the closest are taken."""


def random_sets(variance: NDArray, chosen: Sequence[int], seed: int) -> list[tuple[int, ...]]:
    """Returns at most SETS distinct random sets of equally many heads, the closest in total variance first.

    Takes, of DRAWS sets of heads outside `chosen`, those with a total variance closest to that of `chosen`.
    If fewer than SETS such sets exist, sets are drawn from all heads, except `chosen` itself. `variance`
    [head] is tr S of each head, the square of its importance.
    """
    reference = sorted(set(chosen))
    heads = np.setdiff1d(np.arange(len(variance)), reference)
    if comb(len(heads), len(reference)) < SETS:
        heads = np.arange(len(variance))
    sets = np.array(sorted(_draw(heads, len(reference), seed) - {tuple(reference)}))
    if not len(sets):
        return []
    distance = np.abs(variance[sets].sum(axis=-1) - variance[reference].sum())
    return [tuple(sets[row].tolist()) for row in distance.argsort(kind="stable")[:SETS]]


def _draw(heads: NDArray, size: int, seed: int) -> set[tuple[int, ...]]:
    # The numbers of torch.rand with this seed, as in older bundles.
    bits = np.random.RandomState(seed).randint(2**32, size=(DRAWS, len(heads)), dtype=np.uint32)
    order = (bits & 0xFFFFFF).argsort(axis=-1, kind="stable")[:, :size]
    return set(map(tuple, np.sort(heads[order], axis=-1).tolist()))
