"""From moments to tables: texts, labels and metrics of every head of one model, and of all together."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute.method import (
    label_consistency,
    labels,
    metrics,
    moments,
    resampling,
    stability,
    textspan,
)
from precompute.method.intervals import MIN_IMAGES
from precompute.method.label_consistency import HeadLabels, ResamplingScores
from precompute.method.types import (
    HeadSpaces,
    Moments,
    Pool,
    TextSpan,
)
from precompute.runtime.config import HeadOptions
from precompute.stages import head_replicates, head_rows, head_textspan
from precompute.stages.decompose_images import DecompositionResult
from precompute.stages.head_rows import or_none
from precompute.stages.head_textspan import HeadInputs, HeadTexts


class HeadDescriptions(NamedTuple):
    """What is known of one model's heads. The axis `head` runs over all of them, layer by layer."""

    image_count: int
    mean: Float[Tensor, "layer head rank"]
    scale: Float[Tensor, "layer head"]
    """RMS of a head's centered coordinates: what stored coordinates are divided by."""

    spans: list[TextSpan]
    labels: HeadLabels
    resampling: ResamplingScores
    spanned: list[float | None]
    shares: Float[Tensor, " component"]
    share_replicates: Float[Tensor, "replicate component"]
    """The same over each replicate's images; none with too few images for an interval."""

    kinds: list[str]
    """Of each component: input, attention, head or mlp."""

    tables: dict[str, pd.DataFrame]
    """Rows of every table that one model fills alone."""


def heads(
    model_key: str,
    decomposition: DecompositionResult,
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    options: HeadOptions,
    directory: Path | None = None,
) -> HeadDescriptions:
    """Describe, label and score every head of one model.

    What takes minutes of it is kept in `directory`, so that a run that was stopped goes on.
    """
    head_moments, components = decomposition.moments, decomposition.components
    pooled = moments.pooled(head_moments)
    each = head_textspan.each(pooled.covariance, spaces, text)
    texts_of_heads = head_textspan.span(each, spaces, text, options, directory)
    picks = textspan.picks(texts_of_heads.spans, max(labels.PICKS))
    head_labels = label_consistency.label_heads(picks, texts_of_heads.rotated, pool)
    draws = head_replicates.draw(head_moments, pooled.covariance, spaces, text, pool, options, directory)
    scores = label_consistency.score_resamples(head_labels, draws, pool.tags)
    span_of = [_spanned(span, head, options) for span, head in zip(texts_of_heads.spans, each, strict=True)]
    importance = moments.importance(pooled.covariance)
    shares = moments.component_shares(components)
    named = moments.components(spaces.layers, spaces.basis.shape[1])
    kinds = [component.kind for component in named]
    heads_of = torch.tensor([kind == "head" for kind in kinds])

    values = _head_values(head_labels, scores, texts_of_heads, options.replicates) | {
        "spanned_variance": span_of,
        "importance": importance.flatten().tolist(),
        "coverage": shares[heads_of].tolist(),
    }
    halves = draws.halves.groups if pooled.image_count >= MIN_IMAGES else draws.halves.groups[:0]
    share_replicates = resampling.component_shares(components, halves)
    replicates = {
        "coverage": share_replicates[:, heads_of].mT,
        **_head_replicates(scores, head_moments, halves),
    }
    places = [(head.layer, head.head) for head in each]
    ranks = [head.rank for head in each]
    tables = {
        "head": head_rows.at(places, {"rank": ranks, "importance": values["importance"]}),
        "head_text": head_rows.head_text(
            places, texts_of_heads.spans, texts_of_heads.equal_norm, scores.text_stability, pool
        ),
        "head_label": head_rows.head_label(places, head_labels),
        "judgement": head_rows.judgement(
            places, head_labels.shown, head_labels.label, picks.text_index, pool.tags
        ),
        "head_metric": head_rows.head_metric(places, values, replicates if len(halves) else {}),
        "property_head": head_rows.at(places, {"property": [label.label for label in head_labels.shown]}),
        "component_share": head_rows.component_share(named, shares),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    scale = importance / spaces.basis.shape[2] ** 0.5
    known = shares, share_replicates, kinds
    return HeadDescriptions(
        pooled.image_count,
        pooled.mean,
        scale,
        texts_of_heads.spans,
        head_labels,
        scores,
        span_of,
        *known,
        tables,
    )


def heads_by_property(described: HeadDescriptions) -> dict[str, list[tuple[int, int]]]:
    """Layer and head of all heads that are named by each property."""
    groups = described.tables["property_head"].groupby("property")
    return {str(name): [*zip(rows["layer"], rows["head"], strict=True)] for name, rows in groups}


def _head_values(
    head_labels: HeadLabels, scores: ResamplingScores, texts: HeadTexts, replicates: int
) -> dict[str, list[float | None]]:
    """Metrics of every head that follow from its picks and labels, under their names."""
    overlap = [
        stability.equal_norm_overlap(span.text_index.tolist(), other.text_index.tolist())
        for span, other in zip(texts.spans, texts.equal_norm, strict=True)
    ]
    values = {
        "ccs": or_none(metrics.crossfit_ccs(head_labels.ccs[:, None])),
        "ccs_rotated": or_none(metrics.crossfit_ccs(head_labels.rotated_ccs)),
        "ccs_crossfit": or_none(metrics.crossfit_ccs(scores.crossed_ccs)),
        "ccs_crossfit_rotated": or_none(metrics.crossfit_ccs(scores.rotated_crossed_ccs)),
        "equal_norm_overlap": overlap,
    }
    if replicates:
        names = ["stability", "stability_images", "stability_texts", "stability_rotated"]
        values |= {name: or_none(getattr(scores, name)) for name in names}
    return values


def _head_replicates(
    scores: ResamplingScores, head_moments: Moments, halves: Bool[Tensor, "replicate group"]
) -> dict[str, Float[Tensor, "head replicate"]]:
    """Replicates of the metrics of heads that are computed again; NaN where one is not defined."""
    importance = resampling.importance(
        head_moments.image_count, head_moments.mean, head_moments.second, halves
    )
    return {"importance": importance.flatten(1).mT, **head_rows.ccs_replicates(scores)}


def _spanned(span: TextSpan, head: HeadInputs, options: HeadOptions) -> float | None:
    return metrics.spanned_variance(
        span, head.covariance, head.text, own_rank=head.rank, picks=options.picks, seed=options.seed
    )
