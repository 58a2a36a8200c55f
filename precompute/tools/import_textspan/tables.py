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
from precompute.method.types import Pool
from precompute.stages import head_rows, leaderboard
from precompute.stages.head_rows import Places

SUPPORTED = (
    "Share of heads whose label stands up to lists mixed from the texts of all heads, q at most 0.05. Not to "
    "be set beside models that were taken apart: those stand against rotated heads."
)
"""What `supported_share` says of imported results, which cannot be rotated."""


class ImportedHeads(NamedTuple):
    """Labels of one model's heads, and the rows of its tables."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    ccs: Int[Tensor, " head"]
    supported: Bool[Tensor, " head"]
    tables: dict[str, pd.DataFrame]
    """Rows of every table that one model fills alone."""


def describe(model_key: str, places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> ImportedHeads:
    """Label and score the heads of one model by their texts; -1 stands for a pick that was never made."""
    found = labels_from_lists.label_lists(picks, pool.tags, pool.properties)
    label = torch.tensor([pool.properties.index(one.label) for one in found])
    consistent = agreement_stats.tag_match(picks, label, pool.tags)
    ccs = metrics.ccs(consistent, metrics.scored(label, pool.tags))
    scores = [None if one == metrics.UNSCORED else float(one) for one in ccs.tolist()]
    tables = {
        "head": head_rows.at(places, {}),
        "head_text": _head_text(places, picks, pool),
        "head_label": head_rows.labels_by_one_method(places, found, chosen=True).dropna(
            axis="columns", how="all"
        ),
        "judgement": head_rows.judgement(places, found, label, picks, pool.tags),
        "head_metric": head_rows.at(places, {"metric": "ccs", "value": scores}),
        "property_head": head_rows.at(places, {"property": [one.label for one in found]}),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    supported = torch.tensor([one.supported for one in found])
    return ImportedHeads(label, ccs, supported, tables)


def board(results: list[tuple[str, ImportedHeads]]) -> dict[str, pd.DataFrame]:
    """Tables that need all models. Chance has no value: it takes rotated heads."""
    smallest = min(len(imported.label) for _, imported in results)
    rows = [
        {"model_key": model_key, "labels": "offline", **metric._asdict()}
        for model_key, imported in results
        for metric in _model_metrics(imported, smallest)
    ]
    explained = pd.DataFrame([row.row() for row in metric_info.METRICS])
    explained.loc[explained["metric"] == "supported_share", "description"] = SUPPORTED
    return {
        "model_metric": pd.DataFrame(rows),
        "metric": explained.assign(position=range(len(explained))),
        "published": pd.DataFrame([row._asdict() for row in leaderboard.published()]),
    }


def _model_metrics(imported: ImportedHeads, smallest: int) -> list[metrics.ModelMetric]:
    label, ccs, supported, _ = imported
    none = torch.zeros(len(label), 0, dtype=torch.long)  # [head, rotation]
    return metrics.label_metrics(label, none, ccs, none, supported, smallest=smallest)


def _head_text(places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> pd.DataFrame:
    ids = [text_id(text) for text in pool.texts]
    rows = [
        (layer, head, position, ids[text])
        for (layer, head), chosen in zip(places, picks.tolist(), strict=True)
        for position, text in enumerate(chosen)
        if text >= 0
    ]
    return pd.DataFrame(rows, columns=["layer", "head", "position", "text_id"])
