"""From imported lists of texts to tables: labels, judgements and metrics of every head and every model.

What rests on the heads' outputs is not known here: variance, importance, spanned variance, coverage, chance.
Those columns stay null and those metrics have no rows.

Knows nothing of files: picks and tags in, rows out.
"""

from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.inputs.text_pool import text_id
from precompute.method import (
    agreement_stats,
    labels_from_lists,
    metric_info,
    metrics,
)
from precompute.method.types import Label, Pool
from precompute.stages import leaderboard

SUPPORTED = (
    "Share of heads whose label stands up to lists mixed from the texts of all heads, q at most 0.05. Not to "
    "be set beside models that were taken apart: those stand against rotated heads."
)
"""What `supported_share` says of imported results, which cannot be rotated."""

Places = list[tuple[int, int]]
"""Layer and head of each entry of the axis `head`."""


class Described(NamedTuple):
    """What is known of one model's heads."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    ccs: Int[Tensor, " head"]
    supported: Bool[Tensor, " head"]
    tables: dict[str, pd.DataFrame]
    """Rows of every table that one model fills alone."""


def describe(model_key: str, places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> Described:
    """Label and score the heads of one model by their texts; -1 stands for a pick that was never made."""
    found = labels_from_lists.label_lists(picks, pool.tags, pool.properties)
    label = torch.tensor([pool.properties.index(one.label) for one in found])
    consistent = agreement_stats.tag_match(picks, label, pool.tags)
    ccs = metrics.ccs(consistent, metrics.scored(label, pool.tags))
    scores = [None if one == metrics.UNSCORED else float(one) for one in ccs.tolist()]
    tables = {
        "head": _at(places, {}),
        "head_text": _head_text(places, picks, pool),
        "head_label": _head_label(places, found),
        "judgement": _judgement(places, found, picks, consistent),
        "head_metric": _at(places, {"metric": "ccs", "value": scores}),
        "property_head": _at(places, {"property": [one.label for one in found]}),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    supported = torch.tensor([one.supported for one in found])
    return Described(label, ccs, supported, tables)


def board(results: list[tuple[str, Described]]) -> dict[str, pd.DataFrame]:
    """Tables that need all models. Chance has no value: it takes rotated heads."""
    smallest = min(len(described.label) for _, described in results)
    rows = [
        {"model_key": model_key, "labels": "offline", **metric._asdict()}
        for model_key, described in results
        for metric in _model_metrics(described, smallest)
    ]
    explained = pd.DataFrame([row._asdict() for row in metric_info.METRICS])
    explained.loc[explained["metric"] == "supported_share", "description"] = SUPPORTED
    return {
        "model_metric": pd.DataFrame(rows),
        "metric": explained.assign(position=range(len(explained))),
        "published": pd.DataFrame([row._asdict() for row in leaderboard.published()]),
    }


def _model_metrics(described: Described, smallest: int) -> list[metrics.ModelMetric]:
    label, ccs, supported, _ = described
    none = torch.zeros(len(label), 0, dtype=torch.long)  # [head, rotation]
    return metrics.label_metrics(label, none, ccs, none, supported, smallest=smallest)


def _at(places: Places, columns: dict[str, list | str]) -> pd.DataFrame:
    """One row a head."""
    layer, head = zip(*places, strict=True)
    return pd.DataFrame({"layer": layer, "head": head, **columns})


def _head_text(places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> pd.DataFrame:
    ids = [text_id(text) for text in pool.texts]
    rows = [
        (layer, head, position, ids[text])
        for (layer, head), chosen in zip(places, picks.tolist(), strict=True)
        for position, text in enumerate(chosen)
        if text >= 0
    ]
    return pd.DataFrame(rows, columns=["layer", "head", "position", "text_id"])


def _head_label(places: Places, found: list[Label]) -> pd.DataFrame:
    known = {field: [getattr(label, field) for label in found] for field in Label._fields}
    columns = {field: values for field, values in known.items() if any(value is not None for value in values)}
    return _at(places, {**columns, "supported": [label.supported for label in found]}).assign(chosen=True)


def _judgement(
    places: Places,
    found: list[Label],
    picks: Int[Tensor, "head k"],
    consistent: Bool[Tensor, "head position"],
) -> pd.DataFrame:
    """The offline rule's answer for each judged text of each head."""
    rows = [
        (layer, head, label.label, position, agreement_stats.TAG_MATCH, 0, answer)
        for (layer, head), label, chosen, answers in zip(
            places, found, picks[:, : agreement_stats.TEXTS_JUDGED].tolist(), consistent.tolist(), strict=True
        )
        for position, (text, answer) in enumerate(zip(chosen, answers, strict=True))
        if text >= 0
    ]
    columns = ["layer", "head", "label", "position", "judge", "draw", "consistent"]
    return pd.DataFrame(rows, columns=columns)
