"""Metrics of chosen labels, which depend on the shown label and on its judges.

If language models judged a head's texts, a text agrees if most of them say so. Else the tags of the pool
decide, if the label is a property of the pool. Rows have `labels = chosen`, beside the offline rows.

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
"""Name of the CCS of a head's chosen label."""

NOT_OFFLINE = ("person", "language_model")
"""Methods of labels that the offline rules do not give."""


class JudgementScores(NamedTuple):
    """Scores of one model's chosen labels from their judgements."""

    ccs: list[int | None]
    """CCS by head, in the order of the chosen labels; None if neither judges nor tags decide."""

    judged: bool
    """True if a language model judged any head."""

    counts: Int[Tensor, "text answer"]
    """Number of judges with yes and no, for texts that all judges answered; no rows for a single judge."""

    draws: list[list[bool]]
    """Answers of each judge to each text."""


def score(chosen: pd.DataFrame, answers: pd.DataFrame, texts: Mapping[HeadKey, int]) -> JudgementScores:
    """Combines the judgements of one model. `texts` is the number of texts to judge, by head."""
    by_judge = answers[answers["judge"] != agreement_stats.TAG_MATCH]
    by_tag = answers[answers["judge"] == agreement_stats.TAG_MATCH]
    draws = {key: rows["consistent"].tolist() for key, rows in by_judge.groupby([*HEAD, "position", "judge"])}
    votes = pd.DataFrame(
        [(*key, agreement_stats.majority(draw)) for key, draw in draws.items()],
        columns=[*HEAD, "position", "judge", "yes"],
    ).astype({"yes": bool})
    head_votes = {head: rows for head, rows in votes.groupby(HEAD)}
    tag_ccs = {head: int(rows["consistent"].sum()) for head, rows in by_tag.groupby(HEAD)}
    ccs = [
        _judged_ccs(head_votes[head], texts.get(head, 0))
        if (head := (row.model_key, row.layer, row.head)) in head_votes
        else tag_ccs.get(head) if row.texts >= metrics.MIN_TEXTS else None
        for row in chosen.itertuples()
    ]  # fmt: skip
    return JudgementScores(ccs, len(votes) > 0, _counts(votes), list(draws.values()))


def head_metrics(chosen: pd.DataFrame, scores: JudgementScores) -> pd.DataFrame:
    """Returns rows of `head_metric`."""
    ccs = pd.array(scores.ccs, dtype="Float64")
    return chosen[HEAD].assign(metric=CCS, value=ccs)


def model_metrics(chosen: pd.DataFrame, scores: JudgementScores, *, smallest: int) -> pd.DataFrame:
    """Returns rows of `model_metric` of one model, without chance and intervals.

    `smallest` is the number of heads of the smallest model of the leaderboard.
    """
    label = torch.tensor(pd.factorize(chosen["label"])[0], dtype=torch.int64)
    empty = label.new_zeros(len(label), 0)  # no rotations
    ccs = torch.tensor([metrics.UNSCORED if value is None else value for value in scores.ccs])
    supported = torch.tensor(chosen["supported"].tolist(), dtype=torch.bool)
    values = metrics.label_metrics(label, empty, ccs, empty, supported, smallest=smallest)
    rows = [(row.metric, row.heads_used, row.value) for row in values]
    if scores.judged:
        rows += [(name, "all", value) for name, value in _agreement(scores).items()]
    frame = pd.DataFrame(rows, columns=["metric", "heads_used", "value"]).astype({"value": "Float64"})
    return frame.assign(model_key=chosen["model_key"].iloc[0], labels=CHOSEN)


def differs(chosen: pd.DataFrame, scores: JudgementScores) -> bool:
    """Returns True if a model's labels or judgements differ from the offline ones."""
    return scores.judged or bool(chosen["method"].isin(NOT_OFFLINE).any())


def _agreement(scores: JudgementScores) -> dict[str, float | None]:
    return {
        "judge_agreement": agreement_stats.raw_agreement(scores.counts),
        "fleiss_kappa": agreement_stats.fleiss_kappa(scores.counts),
        "gwet_ac1": agreement_stats.gwet_ac1(scores.counts),
        "self_consistency": agreement_stats.self_consistency(scores.draws),
    }


def _judged_ccs(votes: pd.DataFrame, texts: int) -> int | None:
    """CCS of one head by its judges; None unless each of its texts has an answer."""
    by_text = [agreement_stats.majority(rows["yes"].tolist()) for _, rows in votes.groupby("position")]
    return sum(by_text) if len(by_text) == texts else None


def _counts(votes: pd.DataFrame) -> Int[Tensor, "text answer"]:
    """Number of judges with yes and no, for each text that all judges answered."""
    counts = votes.assign(no=~votes["yes"]).groupby([*HEAD, "position"])[["yes", "no"]].sum()
    is_complete = counts.sum(axis=1) == max(votes["judge"].nunique(), 2)
    return torch.from_numpy(counts[is_complete].to_numpy(dtype="int64"))
