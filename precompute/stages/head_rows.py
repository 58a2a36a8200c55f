"""What is known of the heads of one model, as rows of the bundle's tables, less the model.

Knows nothing of how any of it is computed.
"""

from collections.abc import Mapping, Sequence

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
"""What intervals of metrics of heads are cut to: coverage to nothing, for it may be negative."""


def at(places: Places, columns: Mapping[str, Sequence]) -> pd.DataFrame:
    """One row a head."""
    layer, head = zip(*places, strict=True)
    return pd.DataFrame({"layer": layer, "head": head, **columns})


def head_text(
    places: Places,
    spans: list[TextSpan],
    equal_norm: list[TextSpan],
    stability: Float[Tensor, "head text"],
    pool: Pool,
) -> pd.DataFrame:
    """The texts of every head, with their place among those of one length and their stability."""
    frames = []
    for (layer, head), span, other, held in zip(places, spans, equal_norm, stability, strict=True):
        chosen = span.text_index.tolist()
        rows = {
            "layer": layer,
            "head": head,
            "position": range(len(chosen)),
            "text_id": [text_id(pool.texts[index]) for index in chosen],
            "variance_share": span.variance_share.tolist(),
            "cumulative_share": span.cumulative_share.tolist(),
            "margin": span.margin.tolist(),
            "equal_norm_position": text_stability.positions(chosen, other.text_index.tolist()),
            "stability": or_none(held[span.text_index]),
        }
        frames.append(pd.DataFrame(rows))
    rows = pd.concat(frames, ignore_index=True)
    return rows.astype({"equal_norm_position": "Int64", "stability": "Float64"})


def head_label(places: Places, judged: HeadLabels) -> pd.DataFrame:
    """The label of every head by every offline method."""
    frames = [labels_by_one_method(places, judged.shown, chosen=True)]
    frames += [labels_by_one_method(places, labels, chosen=False) for labels in judged.beside]
    rows = pd.concat(frames, ignore_index=True)
    return rows.astype(dict.fromkeys(["share", "lead", "tail"], "Float64"))


def labels_by_one_method(places: Places, labels: Sequence[Label], *, chosen: bool) -> pd.DataFrame:
    """One label of every head; `chosen` ones are shown."""
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
    """The offline rule's answer for each judged text of each head; a pick of -1 was never made.

    `label` is the column of `tags` that each of `labels` names.
    """
    first = picks[:, : agreement_stats.TEXTS_JUDGED].tolist()
    consistent = agreement_stats.tag_match(picks, label, tags)
    rows = [
        (layer, head, label.label, position, agreement_stats.TAG_MATCH, 0, answer)
        for (layer, head), label, chosen, answers in zip(
            places, labels, first, consistent.tolist(), strict=True
        )
        for position, (text, answer) in enumerate(zip(chosen, answers, strict=True))
        if text >= 0
    ]
    columns = ["layer", "head", "label", "position", "judge", "draw", "consistent"]
    return pd.DataFrame(rows, columns=columns)


def head_metric(
    places: Places,
    values: Mapping[str, Sequence[float | None]],
    replicates: Mapping[str, Float[Tensor, "head replicate"]],
) -> pd.DataFrame:
    """Every metric of every head; those that have `replicates` (NaN where not defined), with intervals."""
    frames = []
    for name, column in values.items():
        drawn = replicates.get(name)
        ends = [
            intervals.NONE
            if drawn is None
            else intervals.interval(value, drawn[head], **RANGE.get(name, TEXTS))
            for head, value in enumerate(column)
        ]
        low, high = zip(*ends, strict=True)
        metric = [name] * len(places)
        frames.append(at(places, {"metric": metric, "value": column, "low": low, "high": high}))
    types = dict.fromkeys(["value", "low", "high"], "Float64")
    return pd.concat([frame.astype(types) for frame in frames], ignore_index=True)


def component_share(named: list[Component], shares: Float[Tensor, " component"]) -> pd.DataFrame:
    """Share of the embedding's covariance of every component."""
    rows = pd.DataFrame([component._asdict() for component in named]).assign(share=shares.tolist())
    return rows.astype({"layer": "Int64", "head": "Int64"})


def or_none(values: Float[Tensor, " n"]) -> list[float | None]:
    """NaN, which stands for what is not defined, as None."""
    return [None if value != value else value for value in values.tolist()]


def ccs_replicates(held: ResamplingScores) -> dict[str, Float[Tensor, "head replicate"]]:
    """Replicates of the head metrics that have them; NaN where a head has no CCS."""
    crossed = held.half_crossed_ccs.double()
    return {
        "ccs": held.ccs.double().where(held.ccs != UNSCORED, torch.nan),
        "ccs_crossfit": crossed.where(crossed != UNSCORED, torch.nan).nanmean(-1),
    }
