"""Labels of the heads of one model, their consistency, and their stability over resampled data.

Knows nothing of models or files: picks in, labels and scores out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import agreement_stats, labels, metrics, replicates, rotation_controls, stability
from precompute.method.replicates import Draws
from precompute.method.types import Label, Picks, Pool


class HeadLabels(NamedTuple):
    """Labels and consistency of the heads, and of their rotations."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    rotated_label: Int[Tensor, "head rotation"]
    rotated_supported: Bool[Tensor, "head rotated"]
    """Support of the labels of the first rotations, each tested as if it were the head."""

    ccs: Int[Tensor, " head"]
    rotated_ccs: Int[Tensor, "head rotation"]
    shown: list[Label]
    """Labels by variance share. `label` and both CCS refer to them."""

    beside: list[list[Label]]
    """Labels by enrichment, from the first 5, 10 and 20 texts."""

    @property
    def supported(self) -> Bool[Tensor, " head"]:
        return torch.tensor([label.supported for label in self.shown])


class ResamplingScores(NamedTuple):
    """Scores of the heads over resampled halves of images and texts.

    No columns without replicates; NaN where undefined.
    """

    crossed_ccs: Int[Tensor, "head split side"]
    """Cross-fitted CCS on all images."""

    rotated_crossed_ccs: Int[Tensor, "head rotated few side"]
    label: Int[Tensor, "head replicate"]
    """Label in each half-replicate; -1 if the head has none there."""

    ccs: Int[Tensor, "head replicate"]
    half_crossed_ccs: Int[Tensor, "head replicate side"]
    """Cross-fitted CCS within each half-replicate, between the two quarters of the pool."""

    stability: Float[Tensor, " head"]
    stability_images: Float[Tensor, " head"]
    stability_texts: Float[Tensor, " head"]
    stability_rotated: Float[Tensor, " head"]
    text_stability: Float[Tensor, "head text"]


def label_heads(picks: Picks, rotated: Picks, pool: Pool) -> HeadLabels:
    """Returns labels of heads and of their rotations, and the consistency of their first texts with them."""
    observed, null = (labels.leading(part.first(labels.SHOWN_PICKS), pool.tags) for part in (picks, rotated))
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
    head_labels: HeadLabels, draws: Draws, tags: Bool[Tensor, "text property"]
) -> ResamplingScores:
    """Returns consistency and stability of the heads' labels over halves and splits.

    A property needs `metrics.MIN_TEXTS` texts to be judged: for replicates in the whole pool, so that the
    properties are the same in every replicate; for splits in the judging half.
    """
    resampled, crossed = draws.resampled, draws.crossed
    enough = replicates.judging_text_count(draws.splits, tags) >= metrics.MIN_TEXTS
    few = enough[: crossed.rotated_label.shape[2]]
    # A property with twice as many texts has enough in either half.
    halved = (tags.sum(0) >= 2 * metrics.MIN_TEXTS).expand(resampled.label.shape[1], 2, -1)
    # Without a pick that carries a property there is no label whose stability could be measured.
    has_label = torch.tensor([bool(label.share) for label in head_labels.shown])
    reference = head_labels.label.where(has_label, -1)
    return ResamplingScores(
        _crossed_ccs(crossed.label, crossed.first, enough, tags),
        _crossed_ccs(crossed.rotated_label, crossed.rotated_first, few, tags),
        resampled.label,
        _ccs(resampled.first, resampled.label.clamp(min=0), tags),
        _crossed_ccs(resampled.quarter_label, resampled.quarter_first, halved, tags),
        stability.stability(resampled.label, reference),
        stability.stability(resampled.label_images, reference),
        stability.stability(resampled.label_texts, reference),
        stability.rotated_stability(resampled.label_rotated),
        stability.text_stability(resampled.first, draws.halves.texts),
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
    """CCS of each label on the texts of the other half; UNSCORED if that half has too few of its property."""
    scored = enough.expand(*label.shape, -1).gather(-1, label.clamp(min=0)[..., None])[..., 0]
    consistent = replicates.crossfit_tag_match(label, first, tags)
    return metrics.ccs(consistent, scored & (label >= 0))


def _enriched(picks: Picks, rotated: Picks, pool: Pool, count: int) -> list[Label]:
    observed, null = (labels.enrich(part.text_index, pool.tags) for part in (picks, rotated))
    return labels.labels_by_enrichment(observed, null, pool.properties, picks=count)
