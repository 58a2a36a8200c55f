"""From moments to tables: texts, labels and metrics of every head of one model, and of all together."""

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute import (
    controls,
    coverage,
    glossary,
    head_tables,
    head_texts,
    judged,
    labels,
    metrics,
    moments,
    progress,
    robustness,
    spanned,
    textspan,
)
from precompute.config import Config
from precompute.head_tables import or_none
from precompute.head_texts import Head, HeadTexts
from precompute.judged import Held, Judged
from precompute.replicating import draws, resampling, standings
from precompute.replicating.intervals import LEAST_IMAGES
from precompute.types import ComponentMoments, HeadSpaces, Moments, Pool, TextSpan


class Described(NamedTuple):
    """What is known of one model's heads. The axis `head` runs over all of them, layer by layer."""

    images: int
    mean: Float[Tensor, "layer head rank"]
    scale: Float[Tensor, "layer head"]
    """RMS of a head's centered coordinates: what stored coordinates are divided by."""

    spans: list[TextSpan]
    judged: Judged
    held: Held
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
    seen: Moments,
    components: ComponentMoments,
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    config: Config,
    directory: Path | None = None,
) -> Described:
    """Describe, label and score every head of one model.

    What takes minutes of it is kept in `directory`, so that a run that was stopped goes on.
    """
    pooled = moments.pooled(seen)
    each = head_texts.each(pooled.covariance, spaces, text)
    found = head_texts.span(each, spaces, text, config, directory)
    own = judged.judge(textspan.picks(found.spans, max(labels.PICKS)), found.rotated, pool)
    drawn = draws.draw(seen, pooled.covariance, spaces, text, pool, config, directory)
    held = judged.hold(own, drawn, pool.tags)
    span_of = [_spanned(span, head, config) for span, head in zip(found.spans, each, strict=True)]
    importance = moments.importance(pooled.covariance)
    shares = moments.component_shares(components)
    named = moments.components(spaces.layers, spaces.basis.shape[1])
    kinds = [component.kind for component in named]
    heads_of = torch.tensor([kind == "head" for kind in kinds])

    values = _head_values(own, held, found, config) | {
        "spanned_variance": span_of,
        "importance": importance.flatten().tolist(),
        "coverage": shares[heads_of].tolist(),
    }
    halves = drawn.halves.groups if pooled.images >= LEAST_IMAGES else drawn.halves.groups[:0]
    share_replicates = resampling.component_shares(components, halves)
    replicates = {"coverage": share_replicates[:, heads_of].mT, **_head_replicates(held, seen, halves)}
    places = [(head.layer, head.head) for head in each]
    ranks = [head.rank for head in each]
    tables = {
        "head": head_tables.at(places, {"rank": ranks, "importance": values["importance"]}),
        "head_text": head_tables.head_text(places, found.spans, found.equal_norm, held.text_stability, pool),
        "head_label": head_tables.head_label(places, own),
        "judgement": head_tables.judgement(places, found.spans, own, pool.tags),
        "head_metric": head_tables.head_metric(places, values, replicates if len(halves) else {}),
        "property_head": head_tables.at(places, {"property": [label.label for label in own.shown]}),
        "component_share": head_tables.component_share(named, shares),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    scale = importance / spaces.basis.shape[2] ** 0.5
    known = shares, share_replicates, kinds
    return Described(pooled.images, pooled.mean, scale, found.spans, own, held, span_of, *known, tables)


def heads_by_property(described: Described) -> dict[str, list[tuple[int, int]]]:
    """Layer and head of all heads that are named by each property."""
    groups = described.tables["property_head"].groupby("property")
    return {str(name): [*zip(rows["layer"], rows["head"], strict=True)] for name, rows in groups}


def board(
    results: list[tuple[str, Described]],
    *,
    rotated_of: Collection[str] = (),
    ranked: Collection[str] = (),
) -> dict[str, pd.DataFrame]:
    """Tables that need all models: metrics at the size of the smallest, their meaning, published ones.

    Models whose key is in `rotated_of` also get the metrics of their rotated heads; those in `ranked`, the
    trained ones, are ranked among each other.
    """
    smallest = min(len(described.spanned) for _, described in results)
    standing = [
        standings.Standing(
            model_key,
            len(described.spanned),
            _model_metrics(described, smallest),
            _replicates(described, smallest),
            model_key in ranked,
        )
        for model_key, described in progress.track(results, "intervals", total=len(results), unit="model")
    ]
    rotated = [
        {"model_key": model_key, **metric._asdict()}
        for model_key, described in results
        if model_key in rotated_of
        for metric in _rotated_metrics(described, smallest)
    ]
    return {
        "model_metric": standings.model_rows(standing),
        "replicate_metric": standings.replicate_rows(standing),
        "rotated_metric": pd.DataFrame(rotated, columns=["model_key", *controls.RotatedMetric._fields]),
        "metric": pd.DataFrame([row._asdict() for row in glossary.METRICS]).assign(
            position=range(len(glossary.METRICS))
        ),
        "published": pd.DataFrame([row._asdict() for row in glossary.published()]),
    }


def _model_metrics(described: Described, smallest: int) -> list[metrics.ModelMetric]:
    own, held = described.judged, described.held
    supported = own.supported
    rows = [
        *metrics.label_metrics(
            own.label, own.rotated_label, own.ccs, own.rotated_ccs, supported, smallest=smallest
        ),
        *metrics.crossfit_metrics(held.crossed_ccs, held.rotated_crossed_ccs, supported),
        *spanned.span_metrics(described.spanned, supported),
        *coverage.coverage_metrics(described.shares, described.kinds),
    ]
    if held.label.shape[1]:
        stable, rotated = or_none(held.stability), or_none(held.stability_rotated)
        rows += robustness.stability_metrics(stable, rotated, supported)
    return rows


def _replicates(described: Described, smallest: int) -> dict[standings.Name, list[float | None]]:
    """Of every metric that has them; none with too few images for an interval."""
    held = described.held
    if described.images < LEAST_IMAGES:
        return {}
    supported = described.judged.supported
    of_labels = standings.replicate_metrics(
        held.label, held.ccs, held.half_crossed_ccs, supported, smallest=smallest
    )
    return of_labels | coverage.coverage_replicates(described.share_replicates, described.kinds)


def _rotated_metrics(described: Described, smallest: int) -> list[controls.RotatedMetric]:
    own, crossed = described.judged, described.held.rotated_crossed_ccs
    label, ccs, supported = own.rotated_label, own.rotated_ccs, own.rotated_supported
    return controls.rotated_metrics(label, ccs, supported, crossed, smallest=smallest)


def _head_values(own: Judged, held: Held, found: HeadTexts, config: Config) -> dict[str, list[float | None]]:
    """Metrics of every head that follow from its picks and labels, under their names."""
    overlap = [
        robustness.equal_norm_overlap(span.text_index.tolist(), other.text_index.tolist())
        for span, other in zip(found.spans, found.equal_norm, strict=True)
    ]
    values = {
        "ccs": or_none(metrics.crossfit_ccs(own.ccs[:, None])),
        "ccs_rotated": or_none(metrics.crossfit_ccs(own.rotated_ccs)),
        "ccs_crossfit": or_none(metrics.crossfit_ccs(held.crossed_ccs)),
        "ccs_crossfit_rotated": or_none(metrics.crossfit_ccs(held.rotated_crossed_ccs)),
        "equal_norm_overlap": overlap,
    }
    if config.replicates:
        names = ["stability", "stability_images", "stability_texts", "stability_rotated"]
        values |= {name: or_none(getattr(held, name)) for name in names}
    return values


def _head_replicates(
    held: Held, seen: Moments, halves: Bool[Tensor, "replicate group"]
) -> dict[str, Float[Tensor, "head replicate"]]:
    """Replicates of the metrics of heads that are computed again; NaN where one is not defined."""
    scattered = resampling.importance(seen.images, seen.mean, seen.second, halves)
    return {"importance": scattered.flatten(1).mT, **head_tables.ccs_replicates(held)}


def _spanned(span: TextSpan, head: Head, config: Config) -> float | None:
    return spanned.spanned_variance(
        span, head.covariance, head.text, own_rank=head.rank, picks=config.picks, seed=config.seed
    )
