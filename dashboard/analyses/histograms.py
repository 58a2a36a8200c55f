"""Counts of values in bins, stacked by group: the values of a known attribute that lie farthest apart."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 40
MAX_GROUPS = 4
"""Groups with a name of their own; all others are one."""

OTHERS = -1
"""Code of an image in no named group."""

MIN_SHARE, MIN_IMAGES = 0.01, 5
"""Least share of the images, and least number of them, of a group with a name."""


class Stack(NamedTuple):
    """Bars of a stacked histogram: [group, bin], the groups from the bottom up, others last."""

    edges: NDArray[np.float64]
    """[bin + 1]"""

    groups: list[int]
    """Codes of the groups, those of the highest mean first; OTHERS last if there are any."""

    images: NDArray[np.int64]
    """[group, bin]"""


def stacked(value: NDArray, codes: NDArray | None = None) -> Stack:
    """Returns the counts of values [image] in bins of equal width, by the chosen groups of `codes` [image].

    A code names the group of an image; OTHERS is none. Without codes all images are one group of OTHERS.
    """
    codes = np.full(len(value), OTHERS) if codes is None else codes
    named = farthest(value, codes)
    codes = np.where(np.isin(codes, named), codes, OTHERS)
    groups = [*named, OTHERS] if (codes == OTHERS).any() else named
    low, high = float(value.min()), float(value.max())
    edges = np.linspace(low, high, BINS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    images = np.stack([np.histogram(value[codes == group], edges)[0] for group in groups])
    return Stack(edges, groups, images)


def farthest(value: NDArray, codes: NDArray) -> list[int]:
    """Returns the groups with the highest and the lowest means, half of each, the highest first."""
    known = codes >= 0
    count = np.bincount(codes[known], minlength=1)
    total = np.bincount(codes[known], weights=value[known], minlength=1)
    large = np.flatnonzero(count >= max(MIN_IMAGES, MIN_SHARE * len(value)))
    order = large[np.argsort(-total[large] / count[large], kind="stable")].tolist()
    half = MAX_GROUPS // 2
    return order if len(order) <= MAX_GROUPS else [*order[:half], *order[-half:]]
