"""Saturation: whether a number tells the models of a leaderboard apart. Knows nothing of bundles."""

from collections.abc import Sequence
from math import isnan

AS_SHOWN = 0.005
"""Numbers that differ by less read the same: pages show two decimals."""


def tells_nothing_apart(numbers: Sequence[tuple[float, float, float]]) -> bool:
    """Returns True if one value lies in every interval, so that all models may have the same one.

    `numbers` has the value and the ends of the interval of each model and control. A number without an
    interval (its ends are NaN) is an interval of its own; fewer than two numbers leave nothing to compare.
    """
    ends = [(value, value) if isnan(low) else (low, high) for value, low, high in numbers]
    if len(ends) < 2:
        return False
    lows, highs = zip(*ends, strict=True)
    return max(lows) <= min(highs) + AS_SHOWN
