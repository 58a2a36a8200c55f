"""Rows of the tables `head_truth` and `truth_score`: margins, labels and vectors in, DataFrames out."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import Label
from precompute.validation import label_accuracy, neighbor_precision, zero_shot
from precompute.validation.interventions import NOTHING, Run

DIRECT, FORWARD = "direct", "forward"
_COLUMNS = [
    "study",
    "measure",
    "subject",
    "attribute",
    "effect",
    "k",
    "value",
    "low",
    "high",
    "chance",
    "count",
]

ROUNDING = 1e-6
"""Margins are differences of cosines in float32: a head that does nothing must not be for what they leave."""

Margins = Mapping[str, Float[Tensor, "run image attribute"]]
"""By effect; run 0 is the one that changes nothing."""

Truth = Mapping[str, Float[Tensor, "head attribute"]]
"""By measure, what says how much a head is for an attribute."""


def head_truth(
    places: Sequence[tuple[int, int]],
    attributes: Sequence[str],
    loss: Truth,
    accuracy_loss: Truth,
    selectivity: Float[Tensor, "head attribute"],
    images: Sequence[int],
) -> pd.DataFrame:
    """One row per decomposed head and attribute; `loss` and `accuracy_loss` by effect."""
    columns = {effect: loss[effect] for effect in (FORWARD, DIRECT)}
    columns |= {f"{effect}_accuracy": accuracy_loss[effect] for effect in (FORWARD, DIRECT)}
    columns |= {"selectivity": selectivity}
    rows = [
        {"layer": layer, "head": head, "attribute": attribute, "images": images[at]}
        | {name: _number(value[number, at]) for name, value in columns.items()}
        for number, (layer, head) in enumerate(places)
        for at, attribute in enumerate(attributes)
    ]
    return pd.DataFrame(rows)


def losses(margins: Float[Tensor, "run image attribute"]) -> Float[Tensor, "run attribute"]:
    """Mean fall of every attribute's margin in each run, against run 0; what may be rounding is 0."""
    fall = (margins[0] - margins).double().nanmean(dim=1)
    return fall.where(fall.abs() > ROUNDING, 0)


def sure(margins: Float[Tensor, "run image attribute"]) -> Bool[Tensor, " head"]:
    """Whether the sample decides what loses most in each run but run 0, the unchanged model."""
    return label_accuracy.sure((margins[0] - margins[1:]).double(), least=ROUNDING)


def accuracies(margins: Float[Tensor, "run image attribute"]) -> Float[Tensor, "run attribute"]:
    """Zero-shot accuracy of every attribute in each run.

    A run that saw a part of the images only changes the accuracy over all of them, in run 0, by what it
    changes on its part: two small parts differ by more than most runs do.
    """
    same = margins[0].where(margins.isfinite(), torch.nan)
    changed = zero_shot.accuracy(margins.mT) - zero_shot.accuracy(same.mT)
    return (zero_shot.accuracy(margins[0].T) + changed).clamp(0, 1)


def ablation(
    runs: Sequence[Run], margins: Margins, attributes: Sequence[str], chance: Sequence[float]
) -> pd.DataFrame:
    """Zero-shot accuracy left after each run; random sets of one property make one row, with their range."""
    rows: list[dict] = []
    for effect, mine in margins.items():
        left = accuracies(mine)
        count = mine[0].isfinite().sum(dim=0).tolist()
        for (subject, k), group in groupby(enumerate(runs), key=lambda one: (one[1].subject, one[1].k)):
            if subject != NOTHING or effect == DIRECT:
                named = effect if subject != NOTHING else ""
                kept = left[[number for number, _ in group]]
                rows += [
                    {"subject": subject, "k": k, "effect": named, **one}
                    for one in _each_and_together(kept, attributes, chance, count)
                ]
    return _scores("ablation", rows, measure="accuracy")


def labels(
    truth: Truth,
    labels: Mapping[str, Sequence[Label]],
    attributes: Sequence[str],
    strong: Bool[Tensor, " head"],
    properties: Sequence[str],
    sure: Mapping[str, Bool[Tensor, " head"]],
) -> pd.DataFrame:
    """How often a method names a head's truth: over all heads, strong ones, and those it calls supported.

    Where a truth is measured on a sample (`sure`, by measure), also over the heads, and the strong heads,
    whose truth the sample decides.
    """
    said = {name: [one.label for one in found] for name, found in labels.items()}
    rows: list[dict] = []
    for measure, loss in truth.items():
        known = [one if one in properties else None for one in label_accuracy.truths(loss, attributes)]
        used = {"": torch.ones_like(strong), "_strong": strong}
        if measure in sure:
            used |= {"_sure": sure[measure], "_strong_sure": strong & sure[measure]}
        for part, counts in used.items():
            mine = label_accuracy.only(known, counts.tolist())
            rows += _right(measure + part, mine, said | {"commonest": label_accuracy.commonest(mine)})
        for name, found in labels.items():
            mine = label_accuracy.only(known, [one.supported for one in found])
            rows += _right(f"{measure}_supported", mine, {name: said[name]})
    number = {"value": float(strong.sum()), "count": len(strong), "attribute": ""}
    rows += [{"measure": "heads_strong", "subject": name, **number} for name in [*labels, "commonest"]]
    return _scores("labels", rows)


def neighbors(
    vectors: Iterator[tuple[str, Float[Tensor, "image dim"], str]],
    attributes: Sequence[str],
    own: Int[Tensor, "image attribute"],
) -> pd.DataFrame:
    """Precision of every similarity: subject, vectors and metric of each."""
    columns = ("value", "chance", "count")
    rows: list[dict] = []
    for subject, vector, metric in vectors:
        found = [
            (attribute, neighbor_precision.precision(vector, value, metric=metric))
            for attribute, value in zip(attributes, own.T, strict=True)
        ]
        known = [(attribute, one) for attribute, one in found if one is not None]
        if known:
            numbers = [(one.value, one.chance, one.queries) for _, one in known]
            value, chance, queries = zip(*numbers, strict=True)
            together = ("", (fmean(value), fmean(chance), sum(queries)))
            rows += [
                {"subject": subject, "attribute": name, **dict(zip(columns, of, strict=True))}
                for name, of in [together, *zip((name for name, _ in known), numbers, strict=True)]
            ]
    return _scores("neighbors", rows, measure="precision", k=neighbor_precision.K)


def _right(measure: str, truth: Sequence[str | None], said: Mapping[str, Sequence[str]]) -> list[dict]:
    return [
        {"measure": measure, "subject": name, "count": one.heads}
        | {key: getattr(one, key) for key in ("attribute", "value", "chance")}
        for name, answers in said.items()
        for one in label_accuracy.right(truth, answers)
    ]


def _each_and_together(
    left: Float[Tensor, "run attribute"],
    attributes: Sequence[str],
    chance: Sequence[float],
    count: Sequence[int],
) -> list[dict]:
    """One row an attribute and one for their mean; over several runs their mean and 95 % range."""
    # A random set sees a part of the images: in a small sample perhaps none of an attribute.
    every = torch.cat([left.nanmean(dim=1, keepdim=True), left], dim=1)
    low, high = every.nanquantile(torch.tensor([0.025, 0.975], dtype=every.dtype), dim=0).tolist()
    ranges = zip(low, high, strict=True) if len(left) > 1 else [(None, None)] * len(low)
    names, chances = ["", *attributes], [fmean(chance), *chance]
    columns = zip(names, every.nanmean(dim=0).tolist(), ranges, chances, [sum(count), *count], strict=True)
    return [
        {
            "attribute": name,
            "value": value,
            "low": one[0],
            "high": one[1],
            "chance": by_chance,
            "count": images,
        }
        for name, value, one, by_chance, images in columns
    ]


def _scores(study: str, rows: list[dict], **same: object) -> pd.DataFrame:
    """All columns of `truth_score` but the model's."""
    defaults = {
        "study": study,
        "measure": "",
        "effect": "",
        "k": 0,
        "low": None,
        "high": None,
        "chance": None,
    }
    frame = pd.DataFrame([defaults | same | row for row in rows], columns=_COLUMNS)
    return frame.astype({"value": "Float64", "low": "Float64", "high": "Float64", "chance": "Float64"})


def _number(value: Tensor) -> float | None:
    return float(value) if value.isfinite() else None
