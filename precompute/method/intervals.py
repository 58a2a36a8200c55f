"""Intervals and rank ranges of metrics, from replicates.

The intervals are measurement intervals: they cover the choice of images and texts of the same kind, not
another training run. `resampling` explains why the spread of half-replicates needs no correction factor.

Knows nothing of models or metrics: values and their replicates in, bounds out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

MIN_IMAGES = 640
"""Minimum number of images for an interval or a rank: ten a group."""

LEVEL = 0.95
"""Coverage of an interval, and of all rank ranges of one metric together."""

MIN_DEFINED = 0.5
"""Minimum share of replicates that must define a statistic, for an interval or a rank."""

SAME = 1e-12
"""Differences below this are rounding."""


class Interval(NamedTuple):
    low: float | None
    high: float | None


NONE = Interval(None, None)


def interval(
    value: float | None,
    replicates: Sequence[float | None] | Float[Tensor, " replicate"],
    *,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Interval:
    """Returns [value + (q_2.5 - median), value + (q_97.5 - median)], clipped to [minimum, maximum].

    Replicates use half of the data and so may be biased; only their spread is used, centered on the value
    from all data. The center is the median, which always lies between the two percentiles, so that the
    interval contains the value; the mean of a skewed distribution may lie outside them. None or NaN marks a
    replicate that does not define the statistic; if fewer than half define it, there is no interval.
    """
    defined = _defined(replicates)
    if value is None or len(defined) == 0 or len(defined) < MIN_DEFINED * len(replicates):
        return NONE
    tail = (1 - LEVEL) / 2
    low, middle, high = defined.quantile(torch.tensor([tail, 0.5, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(
        max(value + low - middle, -torch.inf if minimum is None else minimum),
        min(value + high - middle, torch.inf if maximum is None else maximum),
    )


def rank_ranges(
    values: Sequence[float | None], replicates: Float[Tensor, "replicate model"], *, direction: str
) -> list[tuple[int, int] | None]:
    """Returns best and worst rank of each model: [1 + #surely above it, M - #surely below it] of M models.

    "Surely" is simultaneous confidence of 95 % over all pairs. Let d_r be the difference of two models in
    replicate r, s its standard deviation over the replicates, and t_r the largest |d_r - mean d| / s over the
    pairs. The order of a pair is sure if |d| on all data exceeds c s, with c the 95 % quantile of t_r. All
    ranges of one metric then hold together (Mogstad et al., as in https://arxiv.org/abs/2401.15205, one
    step). Replicates are paired, so effects common to two models cancel in their difference.

    `direction` is higher, lower or neither. There is no rank (None) for the direction neither, for a model
    without a value, for a single model, or if more than half of the replicates miss a model (NaN).
    """
    ranked = [index for index, value in enumerate(values) if value is not None]
    complete = replicates[:, ranked].double()
    complete = complete[complete.isfinite().all(1)]
    enough = len(complete) > 1 and len(complete) >= MIN_DEFINED * len(replicates)
    if direction == "neither" or len(ranked) < 2 or not enough:
        return [None] * len(values)
    sign = 1.0 if direction == "higher" else -1.0
    ranked_values = torch.tensor([values[index] for index in ranked], dtype=torch.float64)
    above = surely_above(sign * ranked_values, sign * complete)
    ranges: list[tuple[int, int] | None] = [None] * len(values)
    for place, index in enumerate(ranked):
        better, worse = int(above[:, place].sum()), int(above[place].sum())
        ranges[index] = (1 + better, len(ranked) - worse)
    return ranges


def surely_above(
    value: Float[Tensor, " model"], replicates: Float[Tensor, "replicate model"]
) -> Bool[Tensor, "model model"]:
    """Returns True where the row's model surely has a larger value than the column's; see `rank_ranges`.

    A difference that is the same in all replicates is sure unless it is 0.
    """
    difference = replicates[:, :, None] - replicates[:, None, :]  # [replicate, model, model]
    spread = difference.std(dim=0)
    spread = spread.where(spread > SAME, 0)
    deviation = (difference - difference.mean(dim=0)).abs() / spread.where(spread > 0, torch.inf)
    critical = deviation.flatten(1).amax(dim=1).quantile(LEVEL)
    value_difference = value[:, None] - value[None, :]
    return value_difference > (critical * spread).clamp(min=SAME)


def _defined(replicates: Sequence[float | None] | Float[Tensor, " replicate"]) -> Float[Tensor, " defined"]:
    values = torch.from_numpy(np.array(replicates, dtype=float))  # None becomes NaN
    return values[values.isfinite()]
