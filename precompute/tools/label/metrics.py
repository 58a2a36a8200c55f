"""Metrics of chosen labels: those that depend on which label is shown, and on who judged it.

Where language models judged a head's texts, most of them say whether a text agrees; where none was asked, the
tags of the pool, if they know the label. Rows are marked `labels = chosen` and stand beside the offline ones.

Knows nothing of files: rows of chosen labels and of judgements in, rows of metrics out.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Int
from torch import Tensor

from precompute.method import agreement_stats, metrics
from precompute.tools.label.rows import HEAD, HeadKey

CHOSEN = "chosen"
"""Value of `model_metric.labels`."""

CCS = "ccs_chosen"
"""Name of the consistency of a head's chosen label."""

GIVEN = ("person", "language_model")
"""Methods beside the offline ones."""


class Scored(NamedTuple):
    """What the judgements of one model's chosen labels say."""

    ccs: list[int | None]
    """HeadKey by head, in the order of the chosen labels; None where neither judges nor tags decide."""

    judged: bool
    """Whether any language model judged a head."""

    counts: Int[Tensor, "text answer"]
    """Judges that said yes and no, of texts that all judges answered; no rows where there is one judge."""

    draws: list[list[bool]]
    """Answers of each judge to each text."""


def score(chosen: pd.DataFrame, answers: pd.DataFrame, texts: Mapping[HeadKey, int]) -> Scored:
    """Weigh the judgements of one model. `texts` counts the texts of each head that are to be judged."""
    asked = answers[answers["judge"] != agreement_stats.TAG_MATCH]
    by_tag = answers[answers["judge"] == agreement_stats.TAG_MATCH]
    draws = {key: own["consistent"].tolist() for key, own in asked.groupby([*HEAD, "position", "judge"])}
    said = pd.DataFrame(
        [(*key, agreement_stats.majority(own)) for key, own in draws.items()],
        columns=[*HEAD, "position", "judge", "yes"],
    ).astype({"yes": bool})
    decided = {head: own for head, own in said.groupby(HEAD)}
    tagged = {head: int(own["consistent"].sum()) for head, own in by_tag.groupby(HEAD)}
    ccs = [
        _judged(decided[head], texts.get(head, 0))
        if (head := (row.model_key, row.layer, row.head)) in decided
        else tagged.get(head) if row.texts >= metrics.MIN_TEXTS else None
        for row in chosen.itertuples()
    ]  # fmt: skip
    return Scored(ccs, len(said) > 0, _counts(said), list(draws.values()))


def head_metrics(chosen: pd.DataFrame, scored: Scored) -> pd.DataFrame:
    """Rows of `head_metric`."""
    ccs = pd.array(scored.ccs, dtype="Float64")
    return chosen[HEAD].assign(metric=CCS, value=ccs)


def model_metrics(chosen: pd.DataFrame, scored: Scored, *, smallest: int) -> pd.DataFrame:
    """Rows of `model_metric` of one model; chance and intervals are known of offline labels alone."""
    names = pd.factorize(chosen["label"])[0]
    label = torch.tensor(names, dtype=torch.int64)
    none = label.new_zeros(len(label), 0)
    ccs = torch.tensor([metrics.UNSCORED if one is None else one for one in scored.ccs])
    supported = torch.tensor(chosen["supported"].tolist(), dtype=torch.bool)
    found = metrics.label_metrics(label, none, ccs, none, supported, smallest=smallest)
    rows = [(row.metric, row.heads_used, row.value) for row in found]
    if scored.judged:
        rows += [(name, "all", value) for name, value in _agreement(scored).items()]
    frame = pd.DataFrame(rows, columns=["metric", "heads_used", "value"]).astype({"value": "Float64"})
    return frame.assign(model_key=chosen["model_key"].iloc[0], labels=CHOSEN)


def differs(chosen: pd.DataFrame, scored: Scored) -> bool:
    """Whether anything of a model is not as the offline labels have it."""
    return scored.judged or bool(chosen["method"].isin(GIVEN).any())


def _agreement(scored: Scored) -> dict[str, float | None]:
    return {
        "judge_agreement": agreement_stats.raw_agreement(scored.counts),
        "fleiss_kappa": agreement_stats.fleiss_kappa(scored.counts),
        "gwet_ac1": agreement_stats.gwet_ac1(scored.counts),
        "self_consistency": agreement_stats.self_consistency(scored.draws),
    }


def _judged(said: pd.DataFrame, texts: int) -> int | None:
    """CCS of one head by its judges; None unless somebody answered for each of its texts."""
    by_text = [agreement_stats.majority(own["yes"].tolist()) for _, own in said.groupby("position")]
    return sum(by_text) if len(by_text) == texts else None


def _counts(said: pd.DataFrame) -> Int[Tensor, "text answer"]:
    """How many judges said yes and no to each text that all of them answered."""
    everyone = said["judge"].nunique()
    counts = [
        (int(own["yes"].sum()), int((~own["yes"]).sum()))
        for _, own in said.groupby([*HEAD, "position"])
        if len(own) == everyone and everyone > 1
    ]
    return torch.tensor(counts, dtype=torch.int64).reshape(-1, 2)
