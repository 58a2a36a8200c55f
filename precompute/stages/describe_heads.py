"""Describes the heads of one model from moments: texts, labels, metrics, and rows of tables."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute.method import label_consistency, labels, metrics, moments, resampling, stability, textspan
from precompute.method.intervals import MIN_IMAGES
from precompute.method.label_consistency import HeadLabels, ResamplingScores
from precompute.method.types import HeadSpaces, Moments, Picks, Pool, TextSpan
from precompute.runtime.config import HeadOptions
from precompute.stages import head_replicates, head_rows, head_textspan
from precompute.stages.decompose_images import DecompositionResult
from precompute.stages.head_rows import or_none
from precompute.stages.head_textspan import HeadInputs, HeadTexts


class HeadDescriptions(NamedTuple):
    """Descriptions of one model's heads. The axis `head` has all heads, layer by layer."""

    image_count: int
    mean: Float[Tensor, "layer head rank"]
    scale: Float[Tensor, "layer head"]
    """RMS of a head's centered coordinates, the divisor of stored coordinates."""

    spans: list[TextSpan]
    labels: HeadLabels
    resampling: ResamplingScores
    spanned: list[float | None]
    shares: Float[Tensor, " component"]
    share_replicates: Float[Tensor, "replicate component"]
    """Shares over each replicate's images; no rows with too few images for an interval."""

    kinds: list[str]
    """Kind of each component: input, attention, head or mlp."""

    tables: dict[str, pd.DataFrame]
    """Rows of the tables that need one model only."""


def heads(
    model_key: str,
    decomposition: DecompositionResult,
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    options: HeadOptions,
    directory: Path,
) -> HeadDescriptions:
    """Describes, labels and scores every head of one model.

    Stores results that take minutes in `directory`, so that a stopped run resumes.
    """
    head_moments, components = decomposition.moments, decomposition.components
    pooled = moments.pooled(head_moments)
    inputs = head_textspan.each(pooled.covariance, spaces, text)
    texts = head_textspan.span(inputs, spaces, text, options, directory)
    picks = textspan.picks(texts.spans, max(labels.PICKS))
    head_labels = label_consistency.label_heads(picks, texts.rotated, pool)
    draws = head_replicates.draw(head_moments, pooled.covariance, spaces, text, pool, options, directory)
    scores = label_consistency.score_resamples(head_labels, draws, pool.tags)
    spanned = [_spanned(span, head, options) for span, head in zip(texts.spans, inputs, strict=True)]
    importance = moments.importance(pooled.covariance)
    shares = moments.component_shares(components)
    component_names = moments.components(spaces.layers, spaces.basis.shape[1])
    kinds = [component.kind for component in component_names]
    is_head = torch.tensor([kind == "head" for kind in kinds])

    values = _head_values(head_labels, scores, texts, options.replicates) | {
        "spanned_variance": spanned,
        "importance": importance.flatten().tolist(),
        "coverage": or_none(shares[is_head]),
    }
    halves = draws.halves.groups if pooled.image_count >= MIN_IMAGES else draws.halves.groups[:0]
    share_replicates = resampling.component_shares(components, halves)
    coverage = {"coverage": share_replicates[:, is_head].mT}
    replicates = coverage | _head_replicates(scores, head_moments, halves) if len(halves) else {}
    tables = {
        **_head_tables(inputs, texts, picks, head_labels, scores, values, replicates, pool),
        "component_share": head_rows.component_share(component_names, shares),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    return HeadDescriptions(
        pooled.image_count,
        pooled.mean,
        importance / spaces.basis.shape[2] ** 0.5,
        texts.spans,
        head_labels,
        scores,
        spanned,
        shares,
        share_replicates,
        kinds,
        tables,
    )


def heads_by_property(described: HeadDescriptions) -> dict[str, list[tuple[int, int]]]:
    """Returns layer and head of all heads with each property as label."""
    groups = described.tables["property_head"].groupby("property")
    return {str(name): [*zip(rows["layer"], rows["head"], strict=True)] for name, rows in groups}


def _head_tables(
    inputs: list[HeadInputs],
    texts: HeadTexts,
    picks: Picks,
    head_labels: HeadLabels,
    scores: ResamplingScores,
    values: dict[str, list[float | None]],
    replicates: dict[str, Float[Tensor, "head replicate"]],
    pool: Pool,
) -> dict[str, pd.DataFrame]:
    """Returns rows of the tables of heads, without the model."""
    places, shown = [(head.layer, head.head) for head in inputs], head_labels.shown
    ranks = [head.rank for head in inputs]
    return {
        "head": head_rows.at(places, {"rank": ranks, "importance": values["importance"]}),
        "head_text": head_rows.head_text(places, texts.spans, texts.equal_norm, scores.text_stability, pool),
        "head_label": head_rows.head_label(places, head_labels),
        "judgement": head_rows.judgement(places, shown, head_labels.label, picks.text_index, pool.tags),
        "head_metric": head_rows.head_metric(places, values, replicates),
        "replicate_head_metric": head_rows.replicate_head_metric(places, replicates),
        "property_head": head_rows.at(places, {"property": [label.label for label in shown]}),
    }


def _head_values(
    head_labels: HeadLabels, scores: ResamplingScores, texts: HeadTexts, replicates: int
) -> dict[str, list[float | None]]:
    """Returns the metrics of every head that follow from its picks and labels, by name."""
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
    """Returns replicates of the metrics of heads; NaN where undefined."""
    importance = resampling.importance(head_moments, halves)
    return {"importance": importance.flatten(1).mT, **head_rows.ccs_replicates(scores)}


def _spanned(span: TextSpan, head: HeadInputs, options: HeadOptions) -> float | None:
    return metrics.spanned_variance(
        span, head.covariance, head.text, own_rank=head.rank, picks=options.picks, seed=options.seed
    )
