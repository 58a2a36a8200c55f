"""What replicates say of a number: its interval, and the ranks that it allows.

Intervals are measurement intervals: what other images and texts of the same kind would change. Nothing here
speaks of another training run. Why the spread of half-replicates needs no factor: `resampling`.

Knows nothing of models or metrics: values and their replicates in, ends out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

MIN_IMAGES = 640
"""Under so many images, ten a group, no interval and no rank is printed."""

LEVEL = 0.95
"""Coverage of an interval, and of all rank ranges of one metric together."""

MIN_DEFINED = 0.5
"""A statistic that fewer of the replicates define has no interval and no rank."""

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
    """[value + (q_2.5 - median), value + (q_97.5 - median)] of the replicates, within [minimum, maximum].

    Replicates hold half as much as the whole and so may lie to one side of it; what is used of them is their
    spread, set about the value on everything. The median is the center because it lies between the two
    percentiles always, the mean of a skewed distribution not: the interval contains the value. None or NaN
    stands for a replicate in which the statistic is not defined; where fewer than half define it there is no
    interval.
    """
    known = _known(replicates)
    if value is None or len(known) == 0 or len(known) < MIN_DEFINED * len(replicates):
        return NONE
    tail = (1 - LEVEL) / 2
    low, middle, high = known.quantile(torch.tensor([tail, 0.5, 1 - tail], dtype=torch.float64)).tolist()
    return Interval(
        max(value + low - middle, -torch.inf if minimum is None else minimum),
        min(value + high - middle, torch.inf if maximum is None else maximum),
    )


def rank_ranges(
    values: Sequence[float | None], replicates: Float[Tensor, "replicate model"], *, direction: str
) -> list[tuple[int, int] | None]:
    """Best and worst rank of each model: [1 + #surely above it, M - #surely below it] of M models.

    Surely: by simultaneous confidence of 95 % over all pairs. With d_r the difference of two models in
    replicate r, s its standard deviation over the replicates and t_r the largest |d_r - mean d| / s over the
    pairs, the pair is sure where |d| on everything exceeds c s, with c the 95 % quantile of t_r. All ranges
    of one metric then hold together (Mogstad et al., as in https://arxiv.org/abs/2401.15205, one step).
    Replicates are paired, so what moves two models alike does not come between them.

    `direction` is higher, lower or neither: without one there is no rank. Nor is there for a model whose
    value is None, nor for a single model, nor where half of the replicates miss a model (NaN).
    """
    ranked = [index for index, value in enumerate(values) if value is not None]
    complete = replicates[:, ranked].double()
    complete = complete[complete.isfinite().all(1)]
    enough = len(complete) > 1 and len(complete) >= MIN_DEFINED * len(replicates)
    if direction == "neither" or len(ranked) < 2 or not enough:
        return [None] * len(values)
    sign = 1.0 if direction == "higher" else -1.0
    known = torch.tensor([values[index] for index in ranked], dtype=torch.float64)
    above = surely_above(sign * known, sign * complete)
    ranges: list[tuple[int, int] | None] = [None] * len(values)
    for place, index in enumerate(ranked):
        better, worse = int(above[:, place].sum()), int(above[place].sum())
        ranges[index] = (1 + better, len(ranked) - worse)
    return ranges


def surely_above(
    value: Float[Tensor, " model"], replicates: Float[Tensor, "replicate model"]
) -> Bool[Tensor, "model model"]:
    """Whether the model of the row surely has a larger value than that of the column; see `rank_ranges`.

    A difference that no replicate changes is sure where it is not 0.
    """
    difference = replicates[:, :, None] - replicates[:, None, :]  # [replicate, model, model]
    spread = difference.std(dim=0)
    spread = spread.where(spread > SAME, 0)
    away = (difference - difference.mean(dim=0)).abs() / spread.where(spread > 0, torch.inf)
    critical = away.flatten(1).amax(dim=1).quantile(LEVEL)
    own = value[:, None] - value[None, :]
    return own > (critical * spread).clamp(min=SAME)


def _known(replicates: Sequence[float | None] | Float[Tensor, " replicate"]) -> Float[Tensor, " known"]:
    if not isinstance(replicates, Tensor):
        defined = [torch.nan if one is None else one for one in replicates]
        replicates = torch.tensor(defined, dtype=torch.float64)
    replicates = replicates.double()
    return replicates[replicates.isfinite()]
