"""Numbers in words: minus, sign, and how many decimals scores need. Knows nothing of Streamlit or bundles."""

import numpy as np
from numpy.typing import ArrayLike

SIGNIFICANT = 3
"""Significant digits of the difference between the largest and the smallest score."""

ROUNDING = 2.0**-22
"""Relative error of a score from float32 vectors: digits below it are noise."""


def decimals(scores: ArrayLike) -> int:
    """Returns the decimals with SIGNIFICANT digits of what differs between scores, at least one.

    Of equal scores, or one score, the digits are those of the score itself.
    """
    values = np.asarray(scores, float)
    values = values[np.isfinite(values)]
    largest = float(np.abs(values).max(initial=0))
    noise = ROUNDING * largest
    spread = float(np.ptp(values)) if len(values) else 0.0
    what = spread if spread > noise else largest
    if not what > 0:
        return 1
    finest = int(np.floor(-np.log10(noise)))
    return max(1, min(SIGNIFICANT - 1 - int(np.floor(np.log10(what))), finest))


def number(value: float, form: str) -> str:
    """Returns a formatted number with a minus, which is as wide as a plus, instead of a hyphen."""
    return f"{value:{form}}".replace("-", "−")


def signed(value: float) -> str:
    """Returns a number of three digits with its sign; zero has none."""
    return number(value, "+.3g") if value else "0"
