"""Rows of the tables `head_validation` and `validation_score`: numbers in, DataFrames out."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from statistics import fmean
from typing import Any

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import zero_shot
from precompute.method.types import Label
from precompute.validation import label_accuracy, neighbor_precision
from precompute.validation.interventions import NOTHING, Ablation
from precompute.validation.subjects import Subject, score_frame

DIRECT, FORWARD = "direct", "forward"
BASELINE: dict[str, Any] = {"subject": Subject("baseline", method="commonest")}

ROUNDING = 1e-6
"""Margins are differences of cosines in float32: rounding must not give a head without effect a target."""

Margins = Mapping[str, Float[Tensor, "ablation image attribute"]]
"""Margins by effect; ablation 0 changes nothing."""

Evidence = Mapping[str, Float[Tensor, "head attribute"]]
"""Effect of each head on each attribute, by measure."""


def head_validation(
    places: Sequence[tuple[int, int]], attributes: Sequence[str], columns: Evidence, images: Sequence[int]
) -> pd.DataFrame:
    """Returns one row for each decomposed head and attribute, with its value in each of `columns`."""
    rows = [
        {"layer": layer, "head": head, "attribute": attribute, "images": images[column]}
        | {name: _number(value[number, column]) for name, value in columns.items()}
        for number, (layer, head) in enumerate(places)
        for column, attribute in enumerate(attributes)
    ]
    return pd.DataFrame(rows)


def losses(margins: Float[Tensor, "ablation image attribute"]) -> Float[Tensor, "ablation attribute"]:
    """Returns the mean fall of every attribute's margin from ablation 0 to each ablation; rounding is 0."""
    fall = (margins[0] - margins).double().nanmean(dim=1)
    return fall.where(fall.abs() > ROUNDING, 0)


def sure(margins: Float[Tensor, "ablation image attribute"]) -> Bool[Tensor, " head"]:
    """Returns True where the target of an ablation is sure; without ablation 0, the unchanged model."""
    return label_accuracy.sure((margins[0] - margins[1:]).double(), min_fall=ROUNDING)


def accuracies(margins: Float[Tensor, "ablation image attribute"]) -> Float[Tensor, "ablation attribute"]:
    """Returns the zero-shot accuracy of every attribute after each ablation.

    For an ablation that ran on a part of the images, the change on that part is added to the accuracy of
    ablation 0 over all images: two small parts differ by more than the effect of most ablations.
    """
    unchanged = margins[0].where(margins.isfinite(), torch.nan)
    change = zero_shot.accuracy(margins.mT) - zero_shot.accuracy(unchanged.mT)
    return (zero_shot.accuracy(margins[0].T) + change).clamp(0, 1)


def mean_ablation(
    ablations: Sequence[Ablation], margins: Margins, attributes: Sequence[str], chance: Sequence[float]
) -> pd.DataFrame:
    """Returns the accuracy after each ablation; random sets of one property give one row with their range."""
    subjects = [(ablation.subject, ablation.k) for ablation in ablations]
    rows: list[dict] = []
    for effect, effect_margins in margins.items():
        accuracy = accuracies(effect_margins)
        count = effect_margins[0].isfinite().sum(dim=0).tolist()
        for (subject, k), group in groupby(range(len(subjects)), key=lambda number: subjects[number]):
            if subject != NOTHING or effect == DIRECT:
                columns = {"subject": subject, "k": k, "effect": effect if subject != NOTHING else ""}
                group_rows = _by_attribute_and_together(accuracy[list(group)], attributes, chance, count)
                rows += [columns | row for row in group_rows]
    return score_frame("mean_ablation", rows, measure="accuracy")


def labels(
    evidence: Evidence,
    labels: Sequence[Sequence[Label]],
    attributes: Sequence[str],
    strong: Bool[Tensor, " head"],
    properties: Sequence[str],
    sure: Mapping[str, Bool[Tensor, " head"]],
) -> pd.DataFrame:
    """Returns the accuracy of each method: over all heads, strong heads, and heads with supported labels.

    For evidence that is measured on a sample (`sure`, by measure), also over the heads, and the strong heads,
    whose target is sure.
    """
    methods: list[dict[str, Any]] = [
        {"subject": Subject("label_method", method=heads[0].method), "k": heads[0].picks} for heads in labels
    ]
    names = [[label.label for label in heads] for heads in labels]
    rows: list[dict] = []
    for measure, loss in evidence.items():
        targets = [
            target if target in properties else None for target in label_accuracy.targets(loss, attributes)
        ]
        masks = {"": torch.ones_like(strong), "_strong": strong}
        if measure in sure:
            masks |= {"_sure": sure[measure], "_strong_sure": strong & sure[measure]}
        for suffix, mask in masks.items():
            masked = label_accuracy.restrict_to(targets, mask.tolist())
            answers = [*zip(methods, names, strict=True), (BASELINE, label_accuracy.commonest(masked))]
            for method, answer in answers:
                rows += _accuracy_rows(measure + suffix, masked, method, answer)
        for method, heads, answer in zip(methods, labels, names, strict=True):
            masked = label_accuracy.restrict_to(targets, [label.supported for label in heads])
            rows += _accuracy_rows(f"{measure}_supported", masked, method, answer)
    count: dict[str, Any] = {"measure": "heads_strong", "value": float(strong.sum()), "count": len(strong)}
    rows += [count | method for method in [*methods, BASELINE]]
    return score_frame("labels", rows)


def neighbors(
    vectors: Iterator[tuple[Subject, Float[Tensor, "image dim"]]],
    attributes: Sequence[str],
    value: Int[Tensor, "image attribute"],
) -> pd.DataFrame:
    """Returns the precision of every similarity, given as a subject and its vectors."""
    rows: list[dict] = []
    for subject, vector in vectors:
        assert subject.comparison is not None
        by_attribute = {
            attribute: neighbor_precision.precision(vector, column, metric=subject.comparison)
            for attribute, column in zip(attributes, value.T, strict=True)
        }
        scores = {attribute: score for attribute, score in by_attribute.items() if score is not None}
        if scores:
            shares, chances, counts = zip(*scores.values(), strict=True)
            together = neighbor_precision.Precision(fmean(shares), fmean(chances), sum(counts))
            rows += [
                {"subject": subject, "attribute": name, **score._asdict()}
                for name, score in {"": together, **scores}.items()
            ]
    return score_frame("neighbors", rows, measure="precision", k=neighbor_precision.K)


def _accuracy_rows(
    measure: str, targets: Sequence[str | None], method: dict[str, Any], answers: Sequence[str]
) -> list[dict]:
    rows = label_accuracy.label_accuracy(targets, answers)
    return [{"measure": measure, **method, **row._asdict()} for row in rows]


def _by_attribute_and_together(
    accuracy: Float[Tensor, "ablation attribute"],
    attributes: Sequence[str],
    chance: Sequence[float],
    count: Sequence[int],
) -> list[dict]:
    """Returns a row for the mean over attributes, then one for each; several ablations give a 95 % range."""
    # Random sets run on a part of the images: in a small sample, it may have no image with the attribute.
    columns = torch.cat([accuracy.nanmean(dim=1, keepdim=True), accuracy], dim=1)
    low, high = columns.nanquantile(torch.tensor([0.025, 0.975], dtype=columns.dtype), dim=0).tolist()
    ranges = zip(low, high, strict=True) if len(accuracy) > 1 else [(None, None)] * len(low)
    names, chances, counts = ["", *attributes], [fmean(chance), *chance], [sum(count), *count]
    return [
        {"attribute": name, "value": value, "low": low, "high": high, "chance": chance, "count": images}
        for name, value, (low, high), chance, images in zip(
            names, columns.nanmean(dim=0).tolist(), ranges, chances, counts, strict=True
        )
    ]


def _number(value: Tensor) -> float | None:
    return float(value) if value.isfinite() else None
