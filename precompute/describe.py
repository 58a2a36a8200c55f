"""From moments to tables: texts, labels and metrics of every head of one model, and of all together."""

import os
from collections.abc import Collection
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute import controls, glossary, judges, labels, metrics, moments, progress, textspan
from precompute.config import Config
from precompute.pool import text_id
from precompute.types import ComponentMoments, HeadSpaces, Label, Moments, Picks, Pool, TextSpan

_THREADS = os.cpu_count() or 1


class Described(NamedTuple):
    """What is known of one model's heads. The axis `head` runs over all of them, layer by layer."""

    mean: Float[Tensor, "layer head rank"]
    scale: Float[Tensor, "layer head"]
    """RMS of a head's centered coordinates: what stored coordinates are divided by."""

    spans: list[TextSpan]
    judged: "_Judged"
    spanned: list[float | None]
    shares: Float[Tensor, " component"]
    layers: int
    tables: dict[str, pd.DataFrame]
    """Rows of every table that one model fills alone."""


class _Judged(NamedTuple):
    """Labels and consistency of the heads, and of their rotations."""

    label: Int[Tensor, " head"]
    """Index into the pool's properties."""

    rotated_label: Int[Tensor, "head rotation"]
    rotated_supported: Bool[Tensor, "head rotation"]
    """Of the first rotations, each tested as if it were the head."""

    ccs: Int[Tensor, " head"]
    rotated_ccs: Int[Tensor, "head rotation"]
    shown: list[Label]
    """Labels by variance share; `label` and everything judged belong to them."""

    beside: list[list[Label]]
    """Labels by enrichment, from the first 5, 10 and 20 texts."""


class _Head(NamedTuple):
    """One head on its way through the stages."""

    layer: int
    head: int
    covariance: Float[Tensor, "rank rank"]
    text: Float[Tensor, "text rank"]
    rank: int


def heads(
    model_key: str,
    seen: Moments,
    components: ComponentMoments,
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    config: Config,
) -> Described:
    """Describe, label and score every head of one model."""
    pooled = moments.pooled(seen)
    spans, rotated = _span(pooled.covariance, spaces, text, config)
    each = _each_head(pooled.covariance, spaces, text)
    judged = _judge(textspan.picks(spans, max(labels.PICKS)), rotated, pool)
    spanned = [
        metrics.spanned_variance(
            span, head.covariance, head.text, own_rank=head.rank, picks=config.picks, seed=config.seed
        )
        for span, head in zip(spans, each, strict=True)
    ]
    importance = moments.importance(pooled.covariance)
    shares = moments.component_shares(components)
    places = [(head.layer, head.head) for head in each]
    tables = {
        "head": _at(
            places, {"rank": [head.rank for head in each], "importance": importance.flatten().tolist()}
        ),
        "head_text": _head_text(places, spans, pool),
        "head_label": _head_label(places, judged),
        "judgement": _judgement(places, spans, judged, pool),
        "head_metric": _head_metric(places, judged, spanned, importance.flatten(), shares),
        "property_head": _at(places, {"property": [label.label for label in judged.shown]}),
        "component_share": _component_share(spaces, shares),
    }
    for rows in tables.values():
        rows.insert(0, "model_key", model_key)
    rank = spaces.basis.shape[2]
    scale = importance / rank**0.5
    return Described(pooled.mean, scale, spans, judged, spanned, shares, len(spaces.layers), tables)


def heads_by_property(described: Described) -> dict[str, list[tuple[int, int]]]:
    """Layer and head of all heads that are named by each property."""
    groups = described.tables["property_head"].groupby("property")
    return {str(name): [*zip(rows["layer"], rows["head"], strict=True)] for name, rows in groups}


def board(
    results: list[tuple[str, Described]], *, rotated_of: Collection[str] = ()
) -> dict[str, pd.DataFrame]:
    """Tables that need all models: metrics at the size of the smallest, their meaning, published ones.

    Models whose key is in `rotated_of` also get the metrics of their rotated heads.
    """
    smallest = min(len(described.spanned) for _, described in results)
    rows = [
        {"model_key": model_key, **metric._asdict()}
        for model_key, described in results
        for metric in _model_metrics(described, smallest)
    ]
    rotated = [
        {"model_key": model_key, **metric._asdict()}
        for model_key, described in results
        if model_key in rotated_of
        for metric in _rotated_metrics(described.judged, smallest)
    ]
    return {
        "model_metric": pd.DataFrame(rows).assign(labels="offline"),
        "rotated_metric": pd.DataFrame(rotated, columns=["model_key", *controls.RotatedMetric._fields]),
        "metric": pd.DataFrame([row._asdict() for row in glossary.METRICS]).assign(
            position=range(len(glossary.METRICS))
        ),
        "published": pd.DataFrame([row._asdict() for row in glossary.published()]),
    }


def _model_metrics(described: Described, smallest: int) -> list[metrics.ModelMetric]:
    judged = described.judged
    supported = torch.tensor([label.supported for label in judged.shown])
    return [
        *metrics.label_metrics(
            judged.label, judged.rotated_label, judged.ccs, judged.rotated_ccs, supported, smallest=smallest
        ),
        *metrics.span_metrics(described.spanned, supported),
        *metrics.coverage(described.shares, described.layers),
    ]


def _rotated_metrics(judged: _Judged, smallest: int) -> list[controls.RotatedMetric]:
    label, ccs, supported = judged.rotated_label, judged.rotated_ccs, judged.rotated_supported
    return controls.rotated_metrics(label, ccs, supported, smallest=smallest)


def _each_head(
    covariance: Float[Tensor, "layer head rank rank"], spaces: HeadSpaces, text: Float[Tensor, "text d_out"]
) -> list[_Head]:
    return [
        _Head(
            layer,
            head,
            covariance[place, head],
            textspan.text_coordinates(text, spaces.basis[place, head]),
            int(spaces.rank[place, head]),
        )
        for place, layer in enumerate(spaces.layers)
        for head in range(covariance.shape[1])
    ]


def _span(
    covariance: Float[Tensor, "layer head rank rank"],
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    config: Config,
) -> tuple[list[TextSpan], Picks]:
    """Texts of every head, and the first texts of its rotations; layer by layer, so that progress shows."""
    spans: list[TextSpan] = []
    rotated = []
    first = min(config.picks, max(labels.PICKS))  # a rotation that may pick more texts is no fair null
    for place in progress.track(
        range(len(covariance)), "describing heads", total=len(covariance), unit="layer"
    ):
        layer = covariance[place], text, spaces.basis[place]
        spans += textspan.textspan_heads(*layer, k=config.picks, workers=_THREADS)
        rotated.append(
            textspan.rotated_heads(
                *layer,
                own_rank=spaces.rank[place],
                k=first,
                rotations=config.rotations,
                seed=config.seed,
                workers=_THREADS,
            )
        )
    index, share = zip(*rotated, strict=True)
    return spans, Picks(torch.cat(index), torch.cat(share))


def _judge(picks: Picks, rotated: Picks, pool: Pool) -> _Judged:
    """Labels of heads and of their rotations, and how their own first texts agree with them."""
    observed, null = (labels.leading(one.first(labels.SHOWN_PICKS), pool.tags) for one in (picks, rotated))
    return _Judged(
        observed.property,
        null.property,
        controls.supported(null, pool.properties),
        metrics.ccs(judges.tag_match(picks.text_index, observed.property, pool.tags)),
        metrics.ccs(judges.tag_match(rotated.text_index, null.property, pool.tags)),
        labels.labels_by_variance_share(observed, null, pool.properties, picks=labels.SHOWN_PICKS),
        [_enriched(picks.first(count), rotated.first(count), pool, count) for count in labels.PICKS],
    )


def _enriched(picks: Picks, rotated: Picks, pool: Pool, count: int) -> list[Label]:
    observed, null = (labels.enrich(one.text_index, pool.tags) for one in (picks, rotated))
    return labels.labels_by_enrichment(observed, null, pool.properties, picks=count)


def _at(places: list[tuple[int, int]], columns: dict[str, list]) -> pd.DataFrame:
    """One row a head."""
    layer, head = zip(*places, strict=True)
    return pd.DataFrame({"layer": layer, "head": head, **columns})


def _head_text(places: list[tuple[int, int]], spans: list[TextSpan], pool: Pool) -> pd.DataFrame:
    frames = []
    for (layer, head), span in zip(places, spans, strict=True):
        rows = {
            "layer": layer,
            "head": head,
            "position": range(len(span.text_index)),
            "text_id": [text_id(pool.texts[index]) for index in span.text_index.tolist()],
            "variance_share": span.variance_share.tolist(),
            "cumulative_share": span.cumulative_share.tolist(),
            "margin": span.margin.tolist(),
        }
        frames.append(pd.DataFrame(rows))
    return pd.concat(frames, ignore_index=True)


def _head_label(places: list[tuple[int, int]], judged: _Judged) -> pd.DataFrame:
    frames = []
    for found in [judged.shown, *judged.beside]:
        columns = {field: [getattr(label, field) for label in found] for field in Label._fields}
        columns |= {
            "supported": [label.supported for label in found],
            "chosen": [found is judged.shown] * len(found),
        }
        frames.append(_at(places, columns))
    rows = pd.concat(frames, ignore_index=True)
    return rows.astype(dict.fromkeys(["share", "lead", "tail"], "Float64"))


def _judgement(
    places: list[tuple[int, int]], spans: list[TextSpan], judged: _Judged, pool: Pool
) -> pd.DataFrame:
    """The offline rule's answer for each judged text of each head."""
    picks = textspan.picks(spans, judges.JUDGED).text_index
    consistent = judges.tag_match(picks, judged.label, pool.tags)
    rows = [
        (layer, head, label.label, position, judges.TAG_MATCH, 0, answer)
        for (layer, head), label, chosen, answers in zip(
            places, judged.shown, picks.tolist(), consistent.tolist(), strict=True
        )
        for position, (text, answer) in enumerate(zip(chosen, answers, strict=True))
        if text >= 0
    ]
    columns = ["layer", "head", "label", "position", "judge", "draw", "consistent"]
    return pd.DataFrame(rows, columns=columns)


def _head_metric(
    places: list[tuple[int, int]],
    judged: _Judged,
    spanned: list[float | None],
    importance: Float[Tensor, " head"],
    shares: Float[Tensor, " component"],
) -> pd.DataFrame:
    own = shares[1 : 1 + len(places)]
    values = metrics.head_metrics(judged.ccs, judged.rotated_ccs, spanned, importance, own)
    return pd.concat(
        [_at(places, {"metric": [name] * len(places), "value": value}) for name, value in values.items()],
        ignore_index=True,
    )


def _component_share(spaces: HeadSpaces, shares: Float[Tensor, " component"]) -> pd.DataFrame:
    named = moments.components(spaces.layers, spaces.basis.shape[1])
    rows = pd.DataFrame([component._asdict() for component in named]).assign(share=shares.tolist())
    rows["kind"] = rows["component"].str.split().str[0]
    return rows.astype({"layer": "Int64", "head": "Int64"})
