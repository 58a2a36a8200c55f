"""Converts labels and judgements to rows of a bundle's tables. Knows nothing of services or files."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from precompute.method import agreement_stats
from precompute.tools.label import judge_prompt, label_prompt, overrides
from precompute.tools.label.label_prompt import MajorityLabel
from precompute.tools.label.llm_cache import Draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.spelling import singular

HeadKey = tuple[str, int, int]
"""Key of a model, layer, and head."""

HEAD = ["model_key", "layer", "head"]

JUDGEMENT = [*HEAD, "label", "position", "judge", "draw", "consistent"]
"""Columns of the table `judgement`."""

LABEL, JUDGE = "label", "judge"
"""Tasks in the table `language_model_answer`."""


class Subject(NamedTuple):
    """Head, task and language model of one question and its draws."""

    model_key: str
    layer: int
    head: int
    task: str
    """LABEL or JUDGE."""

    position: int
    """Position of the judged text; 0 for a label."""

    judge: str
    """Language model that is asked."""

    @property
    def head_key(self) -> HeadKey:
        return self.model_key, self.layer, self.head


class Texts(NamedTuple):
    """The first texts of one head, in order."""

    texts: tuple[str, ...]
    properties: tuple[frozenset[str], ...]
    """Properties of each text in the pool."""


def texts_by_head(rows: pd.DataFrame) -> dict[HeadKey, Texts]:
    """Returns the rows of the query `first_texts` by head."""
    return {
        (str(model_key), int(layer), int(head)): Texts(
            tuple(head_rows["text"]), tuple(frozenset(properties) for properties in head_rows["properties"])
        )
        for (model_key, layer, head), head_rows in rows.groupby(HEAD)
    }


def language_model_labels(
    labels: Mapping[HeadKey, MajorityLabel],
    texts: Mapping[HeadKey, Texts],
    pool: Collection[str],
    model: str | None,
) -> pd.DataFrame:
    """Returns rows of `head_label` from labels by a language model; `pool` has the properties of the pool.

    The number of texts that carry a label is known only for properties of the pool.
    """
    columns = [*HEAD, "method", "picks", "carrying_picks", "label", "votes", "draws", "given_by"]
    columns += ["supported", "chosen"]
    rows = []
    for head, label in labels.items():
        shown = texts[head].properties[: label_prompt.TEXTS_SHOWN]
        carrying = sum(label.label in properties for properties in shown) if label.label in pool else None
        counts = label_prompt.METHOD, len(shown), carrying
        rows.append((*head, *counts, *label, model, label.supported, False))
    return pd.DataFrame(rows, columns=columns).astype({"carrying_picks": "Int64"})


def personal_labels(labels: Iterable[Override]) -> pd.DataFrame:
    """Returns rows of `head_label` from overrides. Labels given by people count as supported."""
    columns = [*HEAD, "method", "picks", "label", "given_by", "reason", "supported", "chosen"]
    rows = [
        (*label[:3], overrides.METHOD, 0, label.label, label.given_by, label.reason, True, False)
        for label in labels
    ]
    return pd.DataFrame(rows, columns=columns)


def choose(labels: pd.DataFrame) -> pd.DataFrame:
    """Returns the chosen row of every head: a person's label, else a language model's, else the offline one.

    The offline label is by variance share, or, for imported results, which have no variance, by enrichment
    among ten texts.
    """
    order = {overrides.METHOD: 0, label_prompt.METHOD: 1, "variance_share": 2}
    rank = labels["method"].map(order).fillna(3)
    ranked = labels.assign(rank=rank, distance=(labels["picks"] - 10).abs())
    return ranked.sort_values(["rank", "distance"], kind="stable").drop_duplicates(HEAD)[labels.columns]


def judgements(answers: Mapping[Subject, list[Draw]], labels: Mapping[HeadKey, str]) -> pd.DataFrame:
    """Returns rows of `judgement`: every readable answer of a judge."""
    rows = [
        (*subject.head_key, labels[subject.head_key], subject.position, subject.judge)
        + (draw.question.draw, draw.parsed == judge_prompt.YES)
        for subject, draws in answers.items()
        for draw in draws
        if subject.task == JUDGE and draw.parsed is not None
    ]
    return pd.DataFrame(rows, columns=JUDGEMENT)


def tag_matches(
    labels: Mapping[HeadKey, str], texts: Mapping[HeadKey, Texts], pool: set[str]
) -> pd.DataFrame:
    """Returns rows of `judgement` by the offline rule, for labels that are properties of the pool."""
    rows = [
        (*head, label, position, agreement_stats.TAG_MATCH, 0, label in properties)
        for head, label in labels.items()
        if label in pool and head in texts
        for position, properties in enumerate(texts[head].properties[: agreement_stats.TEXTS_JUDGED])
    ]
    return pd.DataFrame(rows, columns=JUDGEMENT)


def answers(draws: Mapping[Subject, list[Draw]], endpoint: str | None) -> pd.DataFrame:
    """Returns rows of `language_model_answer`: every question with its answer, readable or not."""
    columns = [*Subject._fields, "draw", "endpoint", "options", "prompt", "answer", "parsed", "asked_at"]
    columns += ["prompt_tokens", "answer_tokens"]
    rows = [
        {**subject._asdict(), **draw.answer._asdict(), "answer": draw.answer.text, "parsed": draw.parsed}
        | {"options": json.dumps(draw.answer.sent, sort_keys=True), "endpoint": endpoint}
        | {"prompt": json.dumps(draw.question.prompt, ensure_ascii=False), "draw": draw.question.draw}
        for subject, subject_draws in draws.items()
        for draw in subject_draws
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"prompt_tokens": "Int64", "answer_tokens": "Int64"})


def vote(draws: Mapping[Subject, list[Draw]], properties: Iterable[str]) -> dict[HeadKey, MajorityLabel]:
    """Returns the majority label of each head with a readable answer.

    Labels of two heads that differ only in a plural get the more frequent spelling. Otherwise the heads would
    not share a label.
    """
    pool, labels = sorted(properties), {}
    for subject, subject_draws in draws.items():
        answers = [draw.parsed for draw in subject_draws if draw.parsed is not None]
        if subject.task == LABEL and (label := label_prompt.majority(answers, pool)):
            labels[subject.head_key] = label
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels.values():
        spellings[singular(label.label)][label.label] += 1
    return {
        head: label._replace(label=spellings[singular(label.label)].most_common(1)[0][0])
        for head, label in labels.items()
    }
