"""Rows of the tables `head_validation` and `validation_score`: numbers in, DataFrames out."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import Label
from precompute.validation import label_accuracy, neighbor_precision, zero_shot
from precompute.validation.interventions import NOTHING, Ablation
from precompute.validation.subjects import Subject, score_frame

DIRECT, FORWARD = "direct", "forward"
BASELINE: dict[str, Any] = {"subject": Subject("baseline", method="commonest")}

ROUNDING = 1e-6
"""Margins are differences of cosines in float32: a head that does nothing must not be for what they leave."""

Margins = Mapping[str, Float[Tensor, "ablation image attribute"]]
"""By effect; ablation 0 changes nothing."""

Evidence = Mapping[str, Float[Tensor, "head attribute"]]
"""By measure, how much each head acts on each attribute."""


def head_validation(
    places: Sequence[tuple[int, int]],
    attributes: Sequence[str],
    loss: Evidence,
    accuracy_loss: Evidence,
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


def losses(margins: Float[Tensor, "ablation image attribute"]) -> Float[Tensor, "ablation attribute"]:
    """Mean fall of every attribute's margin by each ablation, against ablation 0; rounding is 0."""
    fall = (margins[0] - margins).double().nanmean(dim=1)
    return fall.where(fall.abs() > ROUNDING, 0)


def sure(margins: Float[Tensor, "ablation image attribute"]) -> Bool[Tensor, " head"]:
    """Whether the sample decides what loses most by each ablation but 0, the unchanged model."""
    return label_accuracy.sure((margins[0] - margins[1:]).double(), least=ROUNDING)


def accuracies(margins: Float[Tensor, "ablation image attribute"]) -> Float[Tensor, "ablation attribute"]:
    """Zero-shot accuracy of every attribute after each ablation.

    An ablation that was run on a part of the images changes the accuracy over all of them, of ablation 0, by
    what it changes on its part: two small parts differ by more than most ablations do.
    """
    same = margins[0].where(margins.isfinite(), torch.nan)
    changed = zero_shot.accuracy(margins.mT) - zero_shot.accuracy(same.mT)
    return (zero_shot.accuracy(margins[0].T) + changed).clamp(0, 1)


def mean_ablation(
    ablations: Sequence[Ablation], margins: Margins, attributes: Sequence[str], chance: Sequence[float]
) -> pd.DataFrame:
    """Zero-shot accuracy after each ablation; random sets of one property make one row, with their range."""
    rows: list[dict] = []
    for effect, mine in margins.items():
        left = accuracies(mine)
        count = mine[0].isfinite().sum(dim=0).tolist()
        for (subject, k), group in groupby(
            enumerate(ablations), key=lambda numbered: (numbered[1].subject, numbered[1].k)
        ):
            if subject != NOTHING or effect == DIRECT:
                named = effect if subject != NOTHING else ""
                kept = left[[number for number, _ in group]]
                rows += [
                    {"subject": subject, "k": k, "effect": named, **one}
                    for one in _each_and_together(kept, attributes, chance, count)
                ]
    return score_frame("mean_ablation", rows, measure="accuracy")


def labels(
    evidence: Evidence,
    labels: Sequence[Sequence[Label]],
    attributes: Sequence[str],
    strong: Bool[Tensor, " head"],
    properties: Sequence[str],
    sure: Mapping[str, Bool[Tensor, " head"]],
) -> pd.DataFrame:
    """How often each method names a head's target: over all heads, strong ones, and those it calls supported.

    Where the evidence is measured on a sample (`sure`, by measure), also over the heads, and the strong
    heads, whose target the sample decides.
    """
    methods: list[dict[str, Any]] = [
        {"subject": Subject("label_method", method=of[0].method), "k": of[0].picks} for of in labels
    ]
    names = [[label.label for label in of] for of in labels]
    rows: list[dict] = []
    for measure, loss in evidence.items():
        targets = [one if one in properties else None for one in label_accuracy.targets(loss, attributes)]
        masks = {"": torch.ones_like(strong), "_strong": strong}
        if measure in sure:
            masks |= {"_sure": sure[measure], "_strong_sure": strong & sure[measure]}
        for part, mask in masks.items():
            among = label_accuracy.restrict_to(targets, mask.tolist())
            answers = [*zip(methods, names, strict=True), (BASELINE, label_accuracy.commonest(among))]
            for method, answer in answers:
                rows += _accuracy_rows(measure + part, among, method, answer)
        for method, of, answer in zip(methods, labels, names, strict=True):
            among = label_accuracy.restrict_to(targets, [label.supported for label in of])
            rows += _accuracy_rows(f"{measure}_supported", among, method, answer)
    count: dict[str, Any] = {"measure": "heads_strong", "value": float(strong.sum()), "count": len(strong)}
    rows += [count | method for method in [*methods, BASELINE]]
    return score_frame("labels", rows)


def neighbors(
    vectors: Iterator[tuple[Subject, Float[Tensor, "image dim"]]],
    attributes: Sequence[str],
    own: Int[Tensor, "image attribute"],
) -> pd.DataFrame:
    """Precision of every similarity, a subject and its vectors."""
    columns = ("value", "chance", "count")
    rows: list[dict] = []
    for subject, vector in vectors:
        assert subject.comparison is not None
        found = [
            (attribute, neighbor_precision.precision(vector, value, metric=subject.comparison))
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
    return score_frame("neighbors", rows, measure="precision", k=neighbor_precision.K)


def _accuracy_rows(
    measure: str, targets: Sequence[str | None], method: dict[str, Any], answers: Sequence[str]
) -> list[dict]:
    return [
        {"measure": measure, **method, "count": row.heads}
        | {"attribute": row.attribute, "value": row.value, "chance": row.chance}
        for row in label_accuracy.label_accuracy(targets, answers)
    ]


def _each_and_together(
    left: Float[Tensor, "ablation attribute"],
    attributes: Sequence[str],
    chance: Sequence[float],
    count: Sequence[int],
) -> list[dict]:
    """One row an attribute and one for their mean; over several ablations their mean and 95 % range."""
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


def _number(value: Tensor) -> float | None:
    return float(value) if value.isfinite() else None
