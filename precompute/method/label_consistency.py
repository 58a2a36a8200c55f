"""Labels of the heads of one model, how their own first texts agree with them, and how both hold elsewhere.

Knows nothing of models or files: picks in, labels and scores out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import (
    agreement_stats,
    labels,
    metrics,
    replicates,
    rotation_controls,
    stability,
)
from precompute.method.replicates import Draws
from precompute.method.types import Label, Picks, Pool


class HeadLabels(NamedTuple):
    """Labels and consistency of the heads, and of their rotations."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    rotated_label: Int[Tensor, "head rotation"]
    rotated_supported: Bool[Tensor, "head rotated"]
    """Of the first rotations, each tested as if it were the head."""

    ccs: Int[Tensor, " head"]
    rotated_ccs: Int[Tensor, "head rotation"]
    shown: list[Label]
    """Labels by variance share; `label` and everything judged belong to them."""

    beside: list[list[Label]]
    """Labels by enrichment, from the first 5, 10 and 20 texts."""

    @property
    def supported(self) -> Bool[Tensor, " head"]:
        return torch.tensor([label.supported for label in self.shown])


class ResamplingScores(NamedTuple):
    """What halves of the images and of the pool say of the same heads; NaN and no columns where none."""

    crossed_ccs: Int[Tensor, "head split side"]
    """Cross-fitted CCS, on all images."""

    rotated_crossed_ccs: Int[Tensor, "head rotated few side"]
    label: Int[Tensor, "head replicate"]
    """Of each half-replicate; -1 where the head has none there."""

    ccs: Int[Tensor, "head replicate"]
    half_crossed_ccs: Int[Tensor, "head replicate side"]
    """Cross-fitted CCS within each half-replicate, over the two halves of its half of the pool."""

    stability: Float[Tensor, " head"]
    stability_images: Float[Tensor, " head"]
    stability_texts: Float[Tensor, " head"]
    stability_rotated: Float[Tensor, " head"]
    text_stability: Float[Tensor, "head text"]


def label_heads(picks: Picks, rotated: Picks, pool: Pool) -> HeadLabels:
    """Labels of heads and of their rotations, and how their own first texts agree with them."""
    observed, null = (labels.leading(one.first(labels.SHOWN_PICKS), pool.tags) for one in (picks, rotated))
    return HeadLabels(
        observed.property,
        null.property,
        rotation_controls.supported(null, pool.properties),
        _ccs(picks.text_index, observed.property, pool.tags),
        _ccs(rotated.text_index, null.property, pool.tags),
        labels.labels_by_variance_share(observed, null, pool.properties, picks=labels.SHOWN_PICKS),
        [_enriched(picks.first(count), rotated.first(count), pool, count) for count in labels.PICKS],
    )


def score_resamples(
    judged: HeadLabels, drawn: Draws, tags: Bool[Tensor, "text property"]
) -> ResamplingScores:
    """Scores and stability of the heads' labels over halves and splits.

    Which properties have enough texts to judge by is known from the whole pool, and the same in every
    replicate; in a split, the half that judges must hold enough.
    """
    made, crossed = drawn.resampled, drawn.crossed
    enough = replicates.texts_that_judge(drawn.splits, tags) >= metrics.MIN_TEXTS
    few = enough[: crossed.rotated_label.shape[2]]
    # Either half of a property of twice as many texts holds enough.
    halved = (tags.sum(0) >= 2 * metrics.MIN_TEXTS).expand(made.label.shape[1], 2, -1)
    # A head without any pick that carries a property has no label to be stable.
    reference = judged.label.where(torch.tensor([bool(one.share) for one in judged.shown]), -1)
    return ResamplingScores(
        _crossed_ccs(crossed.label, crossed.first, enough, tags),
        _crossed_ccs(crossed.rotated_label, crossed.rotated_first, few, tags),
        made.label,
        _ccs(made.first, made.label.clamp(min=0), tags),
        _crossed_ccs(made.quarter_label, made.quarter_first, halved, tags),
        stability.stability(made.label, reference),
        stability.stability(made.label_images, reference),
        stability.stability(made.label_texts, reference),
        stability.rotated_stability(made.label_rotated),
        stability.text_stability(made.first, drawn.halves.texts),
    )


def _ccs(
    picks: Int[Tensor, "*list position"], label: Int[Tensor, "*list"], tags: Bool[Tensor, "text property"]
) -> Int[Tensor, "*list"]:
    return metrics.ccs(agreement_stats.tag_match(picks, label, tags), metrics.scored(label, tags))


def _crossed_ccs(
    label: Int[Tensor, "*list split side"],
    first: Int[Tensor, "*list split side position"],
    enough: Bool[Tensor, "split side property"],
    tags: Bool[Tensor, "text property"],
) -> Int[Tensor, "*list split side"]:
    """CCS of each label on the texts of the other half, where that holds enough texts of its property."""
    texts = enough.expand(*label.shape, -1).gather(-1, label.clamp(min=0)[..., None])[..., 0]
    consistent = replicates.judged_on_the_other(label, first, tags)
    return metrics.ccs(consistent, texts & (label >= 0))


def _enriched(picks: Picks, rotated: Picks, pool: Pool, count: int) -> list[Label]:
    observed, null = (labels.enrich(one.text_index, pool.tags) for one in (picks, rotated))
    return labels.labels_by_enrichment(observed, null, pool.properties, picks=count)
