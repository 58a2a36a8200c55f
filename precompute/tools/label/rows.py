"""Rows of a bundle's tables from labels and judgements that were given.

Knows nothing of language models or files: draws and labels in, rows out.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from precompute.method import agreement_stats
from precompute.tools.label import judge_prompt, label_prompt, overrides
from precompute.tools.label.label_prompt import Voted
from precompute.tools.label.llm_cache import Draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.spelling import kind

HeadKey = tuple[str, int, int]
"""Key of a model, layer, head."""

HEAD = ["model_key", "layer", "head"]

LABEL, JUDGE = "label", "judge"
"""Tasks in the table `language_model_answer`."""


class Subject(NamedTuple):
    """What one question of several draws is about."""

    model_key: str
    layer: int
    head: int
    task: str
    """LABEL or JUDGE."""

    position: int
    """Place of the judged text; 0 for a label."""

    judge: str
    """The language model."""

    @property
    def place(self) -> HeadKey:
        """The head."""
        return self.model_key, self.layer, self.head


class Texts(NamedTuple):
    """The first texts of one head, in order."""

    texts: tuple[str, ...]
    properties: tuple[frozenset[str], ...]
    """What the pool says that each carries."""


def texts_by_head(rows: pd.DataFrame) -> dict[HeadKey, Texts]:
    """Rows of the question `first_texts`, head by head."""
    return {
        (str(model_key), int(layer), int(head)): Texts(
            tuple(own["text"]), tuple(frozenset(carried) for carried in own["properties"])
        )
        for (model_key, layer, head), own in rows.groupby(HEAD)
    }


def language_model_labels(
    voted: Mapping[HeadKey, Voted], texts: Mapping[HeadKey, Texts], model: str | None
) -> pd.DataFrame:
    """Rows of `head_label`: what most draws of each head say."""
    columns = [*HEAD, "method", "picks", "label", "votes", "draws", "given_by", "supported", "chosen"]
    rows = [
        (
            *head,
            label_prompt.METHOD,
            min(label_prompt.TEXTS_SHOWN, len(texts[head].texts)),
            *one,
            model,
            one.supported,
            False,
        )
        for head, one in voted.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def personal_labels(given: Iterable[Override]) -> pd.DataFrame:
    """Rows of `head_label` from overrides. Labels given by people count as supported."""
    columns = [*HEAD, "method", "picks", "label", "given_by", "reason", "supported", "chosen"]
    rows = [
        (one.model_key, one.layer, one.head, overrides.METHOD, 0, one.label, one.given_by, one.reason)
        + (True, False)
        for one in given
    ]
    return pd.DataFrame(rows, columns=columns)


def choose(labels: pd.DataFrame) -> pd.DataFrame:
    """The chosen row of every head: a person's label, else a language model's, else the offline one.

    Offline it is that by variance share, and for imported results, which have no variance, by enrichment
    among ten texts.
    """
    order = {overrides.METHOD: 0, label_prompt.METHOD: 1, "variance_share": 2}
    rank = labels["method"].map(order).fillna(3)
    ranked = labels.assign(rank=rank, far=(labels["picks"] - 10).abs())
    return ranked.sort_values(["rank", "far"], kind="stable").drop_duplicates(HEAD)[labels.columns]


def judgements(answers: Mapping[Subject, list[Draw]], labels: Mapping[HeadKey, str]) -> pd.DataFrame:
    """Rows of `judgement`: every answer of a judge that could be read."""
    columns = [*HEAD, "label", "position", "judge", "draw", "consistent"]
    rows = [
        (*subject.place, labels[subject.place], subject.position, subject.judge)
        + (draw.question.draw, draw.parsed == judge_prompt.YES)
        for subject, draws in answers.items()
        for draw in draws
        if subject.task == JUDGE and draw.parsed is not None
    ]
    return pd.DataFrame(rows, columns=columns)


def tag_matches(
    labels: Mapping[HeadKey, str], texts: Mapping[HeadKey, Texts], pool: set[str]
) -> pd.DataFrame:
    """Rows of `judgement`: the offline rule for the labels that are properties of the pool."""
    columns = [*HEAD, "label", "position", "judge", "draw", "consistent"]
    rows = [
        (*head, label, position, agreement_stats.TAG_MATCH, 0, label in carried)
        for head, label in labels.items()
        if label in pool and head in texts
        for position, carried in enumerate(texts[head].properties[: agreement_stats.TEXTS_JUDGED])
    ]
    return pd.DataFrame(rows, columns=columns)


def answers(given: Mapping[Subject, list[Draw]], endpoint: str) -> pd.DataFrame:
    """Rows of `language_model_answer`: every question with its whole answer, those not readable too."""
    columns = [*Subject._fields, "draw", "endpoint", "options", "prompt", "answer", "parsed", "asked_at"]
    columns += ["prompt_tokens", "answer_tokens"]
    rows = [
        (
            *subject,
            one.question.draw,
            endpoint,
            json.dumps(one.answer.sent, sort_keys=True),
            json.dumps(one.question.prompt, ensure_ascii=False),
            one.answer.text,
            one.parsed,
            one.answer.asked_at,
            one.answer.prompt_tokens,
            one.answer.answer_tokens,
        )
        for subject, draws in given.items()
        for one in draws
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"prompt_tokens": "Int64", "answer_tokens": "Int64"})


def vote(given: Mapping[Subject, list[Draw]], properties: Iterable[str]) -> dict[HeadKey, Voted]:
    """The label that most draws give to each head; a head without a readable one is left out.

    Labels of two heads that differ by a plural alone are one label, in the spelling that more heads have:
    they would not be shared otherwise.
    """
    known, voted = sorted(properties), {}
    for subject, draws in given.items():
        said = [one.parsed for one in draws if one.parsed is not None]
        if subject.task == LABEL and (one := label_prompt.majority(said, known)):
            voted[subject.place] = one
    spelled: dict[str, Counter[str]] = defaultdict(Counter)
    for one in voted.values():
        spelled[kind(one.label)][one.label] += 1
    return {
        head: one._replace(label=spelled[kind(one.label)].most_common(1)[0][0]) for head, one in voted.items()
    }
