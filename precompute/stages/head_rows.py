"""Rows of the bundle's tables for the heads of one model, without the column of the model.

This module only arranges results; it computes none.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.inputs.text_pool import text_id
from precompute.method import agreement_stats, intervals
from precompute.method import stability as text_stability
from precompute.method.label_consistency import HeadLabels, ResamplingScores
from precompute.method.metrics import UNSCORED
from precompute.method.moments import Component
from precompute.method.types import Head, Label, Pool, TextSpan

Places = list[Head]
"""Layer and head of each entry of the axis `head`."""


TEXTS: dict[str, float] = {"minimum": 0.0, "maximum": float(agreement_stats.TEXTS_JUDGED)}
RANGE: dict[str, dict[str, float]] = {"importance": {"minimum": 0.0}, "coverage": {}}
"""Limits of the intervals of head metrics: none for coverage, which may be negative."""


def at(places: Places, columns: Mapping[str, Sequence]) -> pd.DataFrame:
    """Returns a table with one row per head."""
    layer, head = zip(*places, strict=True)
    return pd.DataFrame({"layer": layer, "head": head, **columns})


def head_text(
    places: Places,
    spans: list[TextSpan],
    equal_norm: list[TextSpan],
    stability: Float[Tensor, "head text"],
    pool: Pool,
) -> pd.DataFrame:
    """Returns the texts of every head, with their position among texts of equal norm and their stability."""
    frames = []
    for (layer, head), span, scaled, shares in zip(places, spans, equal_norm, stability, strict=True):
        indices = span.text_index.tolist()
        rows = {
            "layer": layer,
            "head": head,
            "position": range(len(indices)),
            "text_id": [text_id(pool.texts[index]) for index in indices],
            "variance_share": span.variance_share.tolist(),
            "cumulative_share": span.cumulative_share.tolist(),
            "margin": span.margin.tolist(),
            "equal_norm_position": text_stability.positions(indices, scaled.text_index.tolist()),
            "stability": or_none(shares[span.text_index]),
        }
        frames.append(pd.DataFrame(rows))
    rows = pd.concat(frames, ignore_index=True)
    return rows.astype({"equal_norm_position": "Int64", "stability": "Float64"})


def head_label(places: Places, head_labels: HeadLabels) -> pd.DataFrame:
    """Returns the label of every head by every offline method."""
    frames = [labels_by_one_method(places, head_labels.shown, chosen=True)]
    frames += [labels_by_one_method(places, labels, chosen=False) for labels in head_labels.beside]
    rows = pd.concat(frames, ignore_index=True)
    return rows.astype(dict.fromkeys(["share", "lead", "tail"], "Float64"))


def labels_by_one_method(places: Places, labels: Sequence[Label], *, chosen: bool) -> pd.DataFrame:
    """Returns one label of every head; the dashboard shows the `chosen` ones."""
    columns = {field: [getattr(label, field) for label in labels] for field in Label._fields}
    supported = [label.supported for label in labels]
    return at(places, columns | {"supported": supported, "chosen": [chosen] * len(labels)})


def judgement(
    places: Places,
    labels: Sequence[Label],
    label: Int[Tensor, " head"],
    picks: Int[Tensor, "head k"],
    tags: Bool[Tensor, "text property"],
) -> pd.DataFrame:
    """Returns the offline rule's answer for each judged text of each head; picks of -1 are skipped.

    `label` is the column of `tags` that each of `labels` names.
    """
    judged = picks[:, : agreement_stats.TEXTS_JUDGED].tolist()
    consistent = agreement_stats.tag_match(picks, label, tags)
    rows = [
        (layer, head, label.label, position, agreement_stats.TAG_MATCH, 0, answer)
        for (layer, head), label, texts, answers in zip(
            places, labels, judged, consistent.tolist(), strict=True
        )
        for position, (text, answer) in enumerate(zip(texts, answers, strict=True))
        if text >= 0
    ]
    columns = ["layer", "head", "label", "position", "judge", "draw", "consistent"]
    return pd.DataFrame(rows, columns=columns)


def head_metric(
    places: Places,
    values: Mapping[str, Sequence[float | None]],
    replicates: Mapping[str, Float[Tensor, "head replicate"]],
) -> pd.DataFrame:
    """Returns every metric of every head, with intervals for those in `replicates` (NaN: not defined)."""
    frames = []
    for name, column in values.items():
        samples = replicates.get(name)
        ends = [
            intervals.NONE
            if samples is None
            else intervals.interval(value, samples[head], **RANGE.get(name, TEXTS))
            for head, value in enumerate(column)
        ]
        low, high = zip(*ends, strict=True)
        metric = [name] * len(places)
        frames.append(at(places, {"metric": metric, "value": column, "low": low, "high": high}))
    types = dict.fromkeys(["value", "low", "high"], "Float64")
    return pd.concat([frame.astype(types) for frame in frames], ignore_index=True)


def replicate_head_metric(
    places: Places, replicates: Mapping[str, Float[Tensor, "head replicate"]]
) -> pd.DataFrame:
    """Returns the value of every head metric with replicates in every replicate (NaN: not defined)."""
    names = ["layer", "head", "metric", "replicate"]
    frames = []
    for metric, samples in replicates.items():
        count = samples.shape[1]
        rows = at(places, {"metric": metric})
        rows = rows.loc[rows.index.repeat(count)]
        value = samples.flatten().double().numpy()
        frames.append(rows.assign(replicate=np.tile(np.arange(count), len(places)), value=value))
    if not frames:
        return pd.DataFrame(columns=[*names, "value"])
    return pd.concat(frames, ignore_index=True).astype({"value": "Float64"})


def component_share(components: list[Component], shares: Float[Tensor, " component"]) -> pd.DataFrame:
    """Returns the share of the embedding's covariance of every component."""
    rows = pd.DataFrame([component._asdict() for component in components]).assign(share=or_none(shares))
    return rows.astype({"layer": "Int64", "head": "Int64", "share": "Float64"})


def or_none(values: Float[Tensor, " n"]) -> list[float | None]:
    """Returns the values as a list, with None for NaN."""
    return [None if value != value else value for value in values.tolist()]


def ccs_replicates(scores: ResamplingScores) -> dict[str, Float[Tensor, "head replicate"]]:
    """Returns replicates of the head metrics that have them; NaN where a head has no CCS."""
    crossed = scores.half_crossed_ccs.double()
    return {
        "ccs": scores.ccs.double().where(scores.ccs != UNSCORED, torch.nan),
        "ccs_crossfit": crossed.where(crossed != UNSCORED, torch.nan).nanmean(-1),
    }
