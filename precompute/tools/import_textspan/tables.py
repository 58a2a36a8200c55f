"""Converts imported lists of texts to tables: labels, judgements and metrics of all heads and models.

Quantities that depend on the outputs of heads are unknown: variance, importance, spanned variance, coverage,
chance. Their columns are null and these metrics have no rows.

Knows nothing of files: picks and tags in, rows out.
"""

from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.inputs.text_pool import text_id
from precompute.method import agreement_stats, labels_from_lists, metric_info, metrics
from precompute.method.types import Pool
from precompute.stages import head_rows, leaderboard
from precompute.stages.head_rows import Places

SUPPORTED = (
    "Share of heads with a label that two texts carry and that is significant against lists mixed from the "
    "texts of all heads, q at most 0.05. Not comparable with decomposed models, whose labels are tested "
    "against rotated heads."
)
"""Description of `supported_share` for imported results, which cannot be rotated."""


class ImportedHeads(NamedTuple):
    """Labels of one model's heads, and the rows of its tables."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    ccs: Int[Tensor, " head"]
    supported: Bool[Tensor, " head"]
    tables: dict[str, pd.DataFrame]
    """Rows of the tables that need one model only."""


def describe(model_key: str, places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> ImportedHeads:
    """Labels and scores the heads of one model by their texts; a pick of -1 is missing."""
    labels = labels_from_lists.label_lists(picks, pool.tags, pool.properties)
    label = torch.tensor([pool.properties.index(head_label.label) for head_label in labels])
    consistent = agreement_stats.tag_match(picks, label, pool.tags)
    ccs = metrics.ccs(consistent, metrics.scored(label, pool.tags))
    scores = [None if score == metrics.UNSCORED else float(score) for score in ccs.tolist()]
    label_rows = head_rows.labels_by_one_method(places, labels, chosen=True)
    tables = {
        "head": head_rows.at(places, {}),
        "head_text": _head_text(places, picks, pool),
        "head_label": label_rows.dropna(axis="columns", how="all"),
        "judgement": head_rows.judgement(places, labels, label, picks, pool.tags),
        "head_metric": head_rows.at(places, {"metric": "ccs", "value": scores}),
        "property_head": head_rows.at(places, {"property": [head_label.label for head_label in labels]}),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    supported = torch.tensor([head_label.supported for head_label in labels])
    return ImportedHeads(label, ccs, supported, tables)


def leaderboard_tables(results: list[tuple[str, ImportedHeads]]) -> dict[str, pd.DataFrame]:
    """Returns the tables that need all models. Chance is null: it needs rotated heads."""
    smallest = min(len(heads.label) for _, heads in results)
    rows = []
    for model_key, (label, ccs, supported, _) in results:
        empty = torch.zeros(len(label), 0, dtype=torch.long)  # [head, rotation]
        values = metrics.label_metrics(label, empty, ccs, empty, supported, smallest=smallest)
        rows += [{"model_key": model_key, "labels": "offline", **metric._asdict()} for metric in values]
    infos = pd.DataFrame([info.row() for info in metric_info.METRICS])
    infos.loc[infos["metric"] == "supported_share", "description"] = SUPPORTED
    return {
        "model_metric": pd.DataFrame(rows),
        "metric": infos.assign(position=range(len(infos))),
        "published": leaderboard.published(),
    }


def _head_text(places: Places, picks: Int[Tensor, "head k"], pool: Pool) -> pd.DataFrame:
    number, position = (picks >= 0).nonzero(as_tuple=True)
    ids = [text_id(pool.texts[text]) for text in picks[number, position].tolist()]
    columns = {"position": position.tolist(), "text_id": ids}
    return head_rows.at([places[row] for row in number.tolist()], columns)
