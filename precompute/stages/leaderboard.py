"""The leaderboard: metrics of every model with intervals, the ranks that these allow, and the replicates."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.method import intervals, metrics, rotation_controls, stability
from precompute.method.intervals import MIN_IMAGES
from precompute.method.metric_info import METRICS
from precompute.runtime import progress
from precompute.stages.describe_heads import HeadDescriptions
from precompute.stages.head_rows import or_none
from precompute.texts import TEXTS

PUBLISHED = TEXTS / "published.csv"


def published() -> pd.DataFrame:
    """Returns the table `published`: figures from papers, as printed there.

    `read_from` is primary, read in the paper itself, or secondary, quoted by another.
    """
    return pd.read_csv(PUBLISHED, float_precision="round_trip")


class LeaderboardEntry(NamedTuple):
    """One model of the leaderboard."""

    model_key: str
    heads: int
    values: list[metrics.ModelMetric]
    replicates: Mapping[metrics.Name, Sequence[float | None]]
    """Values of a metric by replicate, for metrics with replicates; all models share the halves."""

    ranked: bool
    """True for a trained model; controls have intervals but no rank."""


def replicate_metrics(
    label: Int[Tensor, "head replicate"],
    ccs: Int[Tensor, "head replicate"],
    crossed_ccs: Int[Tensor, "head replicate side"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> dict[metrics.Name, list[float | None]]:
    """Returns every metric of labels and judgements of a model, in every replicate.

    Supported heads are determined from all data and fixed: their share has no replicates. A head without a
    label in a replicate counts as one of the first property, as it does on all data. A replicate is
    cross-fitted over one split of its half of the pool, not over 20 splits of the pool: intervals of
    cross-fitted metrics include the variance of a single split, so they are conservative (wide).
    """
    split = crossed_ccs[:, :, None]  # [head, replicate, split, side]: the one split of each replicate
    values = metrics.by_name(
        metrics.without_chance(*columns, supported, smallest=smallest)
        for columns in zip(label.clamp(min=0).T, ccs.T, split.unbind(1), strict=True)
    )
    return {name: column for name, column in values.items() if name[0] != "supported_share"}


def model_rows(entries: Sequence[LeaderboardEntry]) -> pd.DataFrame:
    """Returns the table `model_metric`: value, interval, chance and ranks of every metric of every model."""
    ranks = rank_ranges(entries)
    rows = []
    for entry in entries:
        for metric in entry.values:
            name = (metric.metric, metric.heads_used)
            interval = _interval(metric, entry)
            low, high = ranks.get((entry.model_key, *name)) or (None, None)
            rows.append(
                {
                    "model_key": entry.model_key,
                    "labels": "offline",
                    **metric._asdict(),
                    **interval._asdict(),
                    "rank_low": low,
                    "rank_high": high,
                }
            )
    types = dict.fromkeys(["low", "high"], "Float64") | dict.fromkeys(["rank_low", "rank_high"], "Int64")
    return pd.DataFrame(rows).astype(types)


def replicate_rows(entries: Sequence[LeaderboardEntry]) -> pd.DataFrame:
    """Returns the table `replicate_metric`."""
    rows = [
        (entry.model_key, metric, heads_used, replicate, value)
        for entry in entries
        for (metric, heads_used), values in entry.replicates.items()
        for replicate, value in enumerate(values)
    ]
    columns = ["model_key", "metric", "heads_used", "replicate", "value"]
    return pd.DataFrame(rows, columns=columns).astype({"value": "Float64"})


def _interval(metric: metrics.ModelMetric, entry: LeaderboardEntry) -> intervals.Interval:
    """Returns the interval of one metric of one model; shares and counts of heads stay in their range.

    Coverage has no range: a component that opposes the others has a share below 0.
    """
    replicates = entry.replicates.get((metric.metric, metric.heads_used), ())
    if metric.metric.startswith("coverage"):
        return intervals.interval(metric.value, replicates)
    maximum = float(entry.heads) if _UNIT.get(metric.metric) == "heads" else 1.0
    return intervals.interval(metric.value, replicates, minimum=0.0, maximum=maximum)


def rank_ranges(entries: Sequence[LeaderboardEntry]) -> dict[tuple[str, str, str], tuple[int, int]]:
    """Returns rank ranges of the ranked models by model_key, metric and heads_used."""
    ranked = [entry for entry in entries if entry.ranked]
    ranks = {}
    for name in sorted({name for entry in ranked for name in entry.replicates}):
        metric, _ = name
        if metric not in _RANKED or any(name not in entry.replicates for entry in ranked):
            continue
        values = [
            next(row.value for row in entry.values if (row.metric, row.heads_used) == name)
            for entry in ranked
        ]
        columns = np.array([entry.replicates[name] for entry in ranked], dtype=float)  # None becomes NaN
        replicates = torch.from_numpy(columns.T)  # [replicate, model]
        ranges = intervals.rank_ranges(values, replicates, direction=_DIRECTION[metric])
        for entry, rank_range in zip(ranked, ranges, strict=True):
            if rank_range is not None:
                ranks[entry.model_key, *name] = rank_range
    return ranks


_RANKED = {info.metric for info in METRICS if info.row()["ranked"]}
_UNIT = {info.metric: info.unit for info in METRICS if info.level == "model"}
_DIRECTION = {info.metric: info.direction for info in METRICS if info.level == "model"}


def leaderboard_tables(
    results: list[tuple[str, HeadDescriptions]],
    *,
    rotated_of: Collection[str] = (),
    ranked: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Returns the tables that need all models: metrics at the size of the smallest, published figures.

    `rotated_of` has the keys of models that also get the metrics of their rotated heads; `ranked` has the
    keys of the trained models, which are ranked.
    """
    smallest = min(len(described.spanned) for _, described in results)
    entries = [
        LeaderboardEntry(
            model_key,
            len(described.spanned),
            _model_metrics(described, smallest),
            _replicates(described, smallest),
            model_key in ranked,
        )
        for model_key, described in progress.track(results, "intervals", total=len(results), unit="model")
    ]
    rotated = [
        {"model_key": model_key, **metric._asdict()}
        for model_key, described in results
        if model_key in rotated_of
        for metric in _rotated_metrics(described, smallest)
    ]
    return {
        "model_metric": model_rows(entries),
        "replicate_metric": replicate_rows(entries),
        "rotated_metric": pd.DataFrame(
            rotated, columns=["model_key", *rotation_controls.RotatedMetric._fields]
        ),
        "metric": pd.DataFrame([info.row() for info in METRICS]).assign(position=range(len(METRICS))),
        "published": published(),
    }


def _model_metrics(described: HeadDescriptions, smallest: int) -> list[metrics.ModelMetric]:
    head_labels, scores = described.labels, described.resampling
    supported = head_labels.supported
    rows = [
        *metrics.label_metrics(
            head_labels.label,
            head_labels.rotated_label,
            head_labels.ccs,
            head_labels.rotated_ccs,
            supported,
            smallest=smallest,
        ),
        *metrics.crossfit_metrics(scores.crossed_ccs, scores.rotated_crossed_ccs, supported),
        *metrics.head_means("mean_spanned_variance", described.spanned, supported),
        *metrics.coverage_metrics(described.shares, described.kinds),
    ]
    if scores.label.shape[1]:
        stable, rotated = or_none(scores.stability), or_none(scores.stability_rotated)
        rows += stability.stability_metrics(stable, rotated, supported)
    return rows


def _replicates(described: HeadDescriptions, smallest: int) -> dict[metrics.Name, list[float | None]]:
    """Returns replicates of every metric that has them; none with too few images for an interval."""
    scores = described.resampling
    if described.image_count < MIN_IMAGES:
        return {}
    supported = described.labels.supported
    label_replicates = replicate_metrics(
        scores.label, scores.ccs, scores.half_crossed_ccs, supported, smallest=smallest
    )
    return label_replicates | metrics.coverage_replicates(described.share_replicates, described.kinds)


def _rotated_metrics(described: HeadDescriptions, smallest: int) -> list[rotation_controls.RotatedMetric]:
    head_labels, crossed = described.labels, described.resampling.rotated_crossed_ccs
    label, ccs, supported = head_labels.rotated_label, head_labels.rotated_ccs, head_labels.rotated_supported
    return rotation_controls.rotated_metrics(label, ccs, supported, crossed, smallest=smallest)
