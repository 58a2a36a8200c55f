"""The board: every model's metrics with their intervals, the ranks that these allow, and the replicates.

Knows nothing of heads' outputs or files: metrics and their replicates in, rows out.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute import metrics
from precompute.glossary import METRICS, UNRANKED
from precompute.replicating import intervals

Name = tuple[str, str]
"""Metric, and the heads it is taken over: all or supported."""


class Standing(NamedTuple):
    """One model on the board."""

    model_key: str
    heads: int
    values: list[metrics.ModelMetric]
    replicates: Mapping[Name, Sequence[float | None]]
    """Of the metrics that have them: one value a replicate, the same halves for every model."""

    ranked: bool
    """Whether it is a trained model: controls have intervals and no rank."""


def replicate_metrics(
    label: Int[Tensor, "head replicate"],
    ccs: Int[Tensor, "head replicate"],
    crossed_ccs: Int[Tensor, "head replicate side"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> dict[Name, list[float | None]]:
    """Everything that labels and judgements say of a model, in every replicate.

    Which heads are supported is known from all data and kept: their share has no replicates. A head without
    a label in some replicate counts there as on all data, as one of the first property. A replicate is
    cross-fitted over one split of its half of the pool, not over 20 of all: the interval of what is
    cross-fitted holds the scatter of a split besides, and is on the wide side.
    """
    none = torch.zeros(len(label), 0, dtype=torch.long)
    named = label.clamp(min=0)
    found: dict[Name, list[float | None]] = {}
    for number in range(label.shape[1]):
        rows = metrics.label_metrics(
            named[:, number], none, ccs[:, number], none, supported, smallest=smallest
        )
        crossed = crossed_ccs[:, number, None]  # [head, split, side]: the one split of this replicate
        rows += metrics.crossfit_metrics(crossed, crossed[:, None][:, :0], supported)
        for row in rows:
            if row.metric != "supported_share":
                found.setdefault((row.metric, row.heads_used), []).append(row.value)
    return found


def model_rows(standings: Sequence[Standing]) -> pd.DataFrame:
    """Rows of the table `model_metric`: value, interval, chance and ranks of every metric of every model."""
    ranks = _ranks(standings)
    rows = []
    for standing in standings:
        for own in standing.values:
            name = (own.metric, own.heads_used)
            interval = _interval(own, standing)
            low, high = ranks.get((standing.model_key, *name)) or (None, None)
            rows.append(
                {
                    "model_key": standing.model_key,
                    "labels": "offline",
                    **own._asdict(),
                    **interval._asdict(),
                    "rank_low": low,
                    "rank_high": high,
                }
            )
    types = dict.fromkeys(["low", "high"], "Float64") | dict.fromkeys(["rank_low", "rank_high"], "Int64")
    return pd.DataFrame(rows).astype(types)


def replicate_rows(standings: Sequence[Standing]) -> pd.DataFrame:
    """Rows of the table `replicate_metric`."""
    frames = [
        pd.DataFrame({"replicate": range(len(values)), "value": values}).assign(
            model_key=standing.model_key, metric=metric, heads_used=heads_used
        )
        for standing in standings
        for (metric, heads_used), values in standing.replicates.items()
    ]
    columns = ["model_key", "metric", "heads_used", "replicate", "value"]
    rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)
    return rows[columns].astype({"value": "Float64"})


def _interval(own: metrics.ModelMetric, standing: Standing) -> intervals.Interval:
    """Of one metric of one model; shares and counts of heads stay in their range.

    Coverage has none: what works against the rest has a share below 0.
    """
    replicates = standing.replicates.get((own.metric, own.heads_used), ())
    if own.metric.startswith("coverage"):
        return intervals.interval(own.value, replicates)
    most = float(standing.heads) if _UNIT.get(own.metric) == "heads" else 1.0
    return intervals.interval(own.value, replicates, least=0.0, most=most)


def _ranks(standings: Sequence[Standing]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Rank ranges of the ranked models, metric by metric, under model_key, metric and heads_used."""
    ranked = [standing for standing in standings if standing.ranked]
    found = {}
    for name in sorted({name for standing in ranked for name in standing.replicates}):
        metric, _ = name
        if metric in UNRANKED or any(name not in standing.replicates for standing in ranked):
            continue
        values = [
            next(one.value for one in standing.values if (one.metric, one.heads_used) == name)
            for standing in ranked
        ]
        columns = [_column(standing.replicates[name]) for standing in ranked]
        replicates = torch.tensor(columns, dtype=torch.float64).T  # [replicate, model]
        ranges = intervals.rank_ranges(values, replicates, direction=_DIRECTION[metric])
        for standing, own in zip(ranked, ranges, strict=True):
            if own is not None:
                found[standing.model_key, *name] = own
    return found


def _column(values: Sequence[float | None]) -> list[float]:
    return [torch.nan if value is None else value for value in values]


_UNIT = {one.metric: one.unit for one in METRICS if one.level == "model"}
_DIRECTION = {one.metric: one.direction for one in METRICS if one.level == "model"}
