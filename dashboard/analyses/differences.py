"""Differences of metrics between two models, or between paired heads, with paired intervals.

The replicates of both sides use the same halves of images and texts, so what these have in common cancels in
the difference of a replicate. Intervals are those of `precompute.method.intervals`: the spread of the
replicates about their median, around the value on all data. A head surely differs if |d| > c s, for the
difference d, its standard deviation s over the replicates, and the 95 % quantile c over replicates of the
largest |d_r - mean d| / s of all heads (max-t): all heads that are said to differ then do, with 95 %
confidence.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LEVEL = 0.95
MIN_DEFINED = 0.5
"""Minimum share of replicates that must define a difference, for an interval."""

SAME = 1e-12
"""Differences below this are rounding."""

MODEL_KEYS = ["metric", "heads_used"]
HEAD_KEYS = ["layer", "head", "metric"]
OTHER = {"layer": "other_layer", "head": "other_head", "value": "other_value"}
FACTS = ["title", "unit", "direction", "position"]

Replicates = NDArray[np.float64]
"""[item, replicate] NaN where undefined."""


def of_models(
    metrics: tuple[pd.DataFrame, pd.DataFrame], replicates: tuple[pd.DataFrame, pd.DataFrame]
) -> pd.DataFrame:
    """Returns the difference (first - second) of every metric that both models have.

    `metrics` are the rows of the leaderboard of either model, `replicates` its `queries.replicate_metrics`.
    """
    first, second = (rows.drop_duplicates(MODEL_KEYS) for rows in metrics)
    other = second[[*MODEL_KEYS, "value"]].rename(columns=OTHER)
    rows = first[[*MODEL_KEYS, *FACTS, "value"]].merge(other, on=MODEL_KEYS)
    mine, theirs = (_aligned(rows, MODEL_KEYS, table) for table in replicates)
    return _with_differences(rows, mine - theirs)


def of_heads(
    pairs: pd.DataFrame,
    metrics: tuple[pd.DataFrame, pd.DataFrame],
    replicates: tuple[pd.DataFrame, pd.DataFrame],
) -> pd.DataFrame:
    """Returns the difference (first - second) of every metric of paired heads, and where it is sure.

    `pairs` has layer, head, other_layer and other_head, `metrics` the rows of `queries.head_metrics` of
    either model, `replicates` its `queries.replicate_head_metrics`. A metric without replicates has no
    interval, and no difference in it is sure.
    """
    first, second = metrics
    other = second[[*HEAD_KEYS, "value"]].rename(columns=OTHER)
    rows = pairs[["layer", "head", "other_layer", "other_head"]]
    rows = rows.merge(first[[*HEAD_KEYS, *FACTS, "value"]], on=["layer", "head"])
    rows = rows.merge(other, on=["other_layer", "other_head", "metric"])
    mine = _aligned(rows, HEAD_KEYS, replicates[0])
    theirs = _aligned(rows, ["other_layer", "other_head", "metric"], replicates[1].rename(columns=OTHER))
    rows = _with_differences(rows, mine - theirs)
    sure = np.zeros(len(rows), bool)
    for places in rows.groupby("metric").indices.values():
        sure[places] = surely_differ(rows["difference"].to_numpy()[places], (mine - theirs)[places])
    return rows.assign(sure=sure).sort_values(["position", "layer", "head"], ignore_index=True)


def intervals(value: NDArray[np.float64], replicates: Replicates) -> NDArray[np.float64]:
    """Returns the ends of the interval of every item, [item, 2]; NaN if too few replicates define it."""
    tail = (1 - LEVEL) / 2
    ends = np.full((len(value), 2), np.nan)
    enough = np.isfinite(value) & _enough(replicates)
    if enough.any():
        low, middle, high = np.nanquantile(replicates[enough], [tail, 0.5, 1 - tail], axis=1)
        ends[enough] = np.stack([low - middle, high - middle], axis=1) + value[enough, None]
    return ends


def surely_differ(value: NDArray[np.float64], replicates: Replicates) -> NDArray[np.bool_]:
    """Returns True for items whose difference is surely not 0, simultaneously over all items (max-t).

    A difference that is the same in all replicates is sure unless it is 0.
    """
    sure = np.zeros(len(value), bool)
    used = np.isfinite(value) & _enough(replicates)
    if not used.any():
        return sure
    difference = replicates[used]
    spread = np.nanstd(difference, axis=1, ddof=1)
    spread[~(spread > SAME)] = 0
    deviation = np.abs(difference - np.nanmean(difference, axis=1, keepdims=True))
    scaled = deviation / np.where(spread > 0, spread, np.inf)[:, None]
    largest = np.where(np.isnan(scaled), 0, scaled).max(axis=0)
    critical = np.quantile(largest, LEVEL)
    sure[used] = np.abs(value[used]) > np.maximum(critical * spread, SAME)
    return sure


def _enough(replicates: Replicates) -> NDArray[np.bool_]:
    """Returns True for items that enough replicates define."""
    defined, count = np.isfinite(replicates).sum(axis=1), replicates.shape[1]
    return (defined > 1) & (defined >= MIN_DEFINED * count)


def _with_differences(rows: pd.DataFrame, replicates: Replicates) -> pd.DataFrame:
    value, other = (rows[name].astype(float).to_numpy() for name in ("value", "other_value"))
    low, high = intervals(value - other, replicates).T
    return rows.assign(difference=value - other, low=low, high=high)


def _aligned(rows: pd.DataFrame, keys: Sequence[str], table: pd.DataFrame) -> Replicates:
    """Returns the replicates of every row, found by its keys; NaN for a row without replicates."""
    lists = dict(zip(table[list(keys)].itertuples(index=False, name=None), table["replicates"], strict=True))
    count = max(map(len, lists.values()), default=0)
    aligned = np.full((len(rows), count), np.nan)
    for place, key in enumerate(rows[list(keys)].itertuples(index=False, name=None)):
        if key in lists:
            aligned[place] = lists[key]
    return aligned
