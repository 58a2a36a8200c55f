"""What a bundle and a model have to choose from, and what is chosen first.

What every rerun of every page asks is kept with `data.kept`.
"""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.data import cached, label_text
from dashboard.data.types import Source
from dashboard.state.views import (
    MAX_K,
    Choices,
    Head,
    HeadView,
    Scope,
    V,
    View,
    head_name,
    to_query,
)

ROTATED = "_rotated"
"""A metric of this ending is that of the name before it, by chance."""

SELECTIVITY = "selectivity:"
MAX_OF_EACH = 24


def about(source: Source) -> str:
    """What there is of a model."""
    info = source.info
    if not source.has_vectors:
        layers = sorted({layer for layer, _ in head_names(source)})
        return (
            f"**{info.model}**  \n{len(head_names(source))} heads of layers {layers[0]} to {layers[-1]}. "
            "Imported results: texts, labels and metrics, but no images and no vectors."
        )
    error = f"{info.max_sum_error:.2g}".replace("e-0", "e-")
    # Whole numbers arrive as floats where an imported model beside it has none.
    return (
        f"**{info.model}**  \nLayers {info.first_layer} to {int(info.layers) - 1}, {info.heads} heads each. "
        f"{source.images:,} images, {int(info.gallery_images):,} with maps stored. "
        f"Contributions sum to the embedding within {error}.{_precision(info)}"
    )


def _precision(info: Any) -> str:
    """What is not in float32, and how much of the texts that changes."""
    if info.precision == "float32":
        return ""
    return (
        f" Taken apart in {info.precision}: {info.overlap_5:.0%} of the first five texts of a head are those "
        f"of float32 (least {info.overlap_5_least:.0%}), on {int(info.precision_images):,} images."
    )


def choices(source: Source) -> Choices:
    """What a link to a page over this model may ask for."""
    return Choices(
        bundles=tuple(cached.bundle_paths()),
        models=tuple(cached.models(source.bundle)["model_key"]),
        heads=tuple(head_names(source)),
        properties=tuple(property_titles(source)),
        metrics=tuple(cached.leaderboard(source.bundle)["metric"].unique()),
        attributes=attributes(source),
        head_metrics=tuple(head_metric_titles(source)),
        colors=tuple(color_titles(source)),
        labels=labels(source),
        positions=int(cached.heads(source)["texts"].max()),
        images=source.images,
        has_image=lambda image_id: cached.has_image(source, image_id),
    )


def default_view(source: Source, kind: type[V]) -> V:
    """What a page shows before anything is chosen: the strongest head that is about something."""
    most = most_of_each(source) if kind is HeadView else most_neighbors(source)
    first: dict[str, Callable[[], Any]] = {
        "bundle": lambda: source.name,
        "model": lambda: source.key,
        "image": lambda: first_image(source),
        "text": lambda: best_text(source),
        "against": lambda: other_text(source),
        "head": lambda: best_head(source),
        "heads": lambda: best_scope(source),
        "k": lambda: min(getattr(kind, "k", 1), most),
        "head_metric": lambda: next(iter(head_metric_titles(source)), ""),
        "metric": lambda: best_metric(source),
        "attribute": lambda: best_attribute(source),
    }
    return kind(**{field.name: first[field.name]() for field in fields(kind) if field.name in first})


def link(source: Source, kind: type[View], **changes: Any) -> dict[str, str]:
    """The query parameters of a page over the same model, its defaults but for the changes.

    Every field is in it, so that the page has nothing to add and one step back leads here again.
    """
    return to_query(replace(default_view(source, kind), **changes))


@cached.kept(max_entries=16)
def head_names(source: Source) -> dict[Head, str]:
    """Every stored head with its label, as a picker shows it."""
    return {
        (row.layer, row.head): f"{row.name} · {label_text.claim(row)}"
        for row in cached.heads(source).itertuples(index=False)
    }


@cached.kept(max_entries=16)
def property_titles(source: Source) -> dict[str, str]:
    """The properties that heads of this model are labeled with, best supported first."""
    found = cached.properties(source)
    found = found[found["heads"] > 0].sort_values(
        ["supported_heads", "heads"], ascending=False, kind="stable"
    )
    return {
        row.property: f"{row.property} · {row.supported_heads} of {row.heads} heads supported"
        for row in found.itertuples()
    }


def resolve(source: Source, scope: Scope) -> tuple[Head, ...]:
    """The heads that a scope stands for in this model."""
    if scope.kind == "property":
        return cached.property_heads(source, scope.property)
    if scope.kind == "layer":
        return tuple(head for head in head_names(source) if head[0] == scope.layer)
    return tuple(head_names(source)) if scope.kind == "all" else scope.heads


def left_out(source: Source, scope: Scope) -> list[Head]:
    """Heads labeled with a property that it does not stand for: unsupported ones beside supported ones."""
    if scope.kind != "property":
        return []
    used, rows = resolve(source, scope), cached.heads(source).itertuples()
    return [
        (row.layer, row.head)
        for row in rows
        if row.label == scope.property and (row.layer, row.head) not in used
    ]


@cached.kept(max_entries=16)
def labels(source: Source) -> tuple[str, ...]:
    """Labels that heads of the model have, the commonest first."""
    return tuple(str(label) for label in cached.heads(source)["label"].value_counts().index)


@cached.kept(max_entries=16)
def head_metric_titles(source: Source) -> dict[str, str]:
    """Metrics that heads of the model have, in the order of the pages; those of rotated heads left out."""
    found = cached.head_metrics(source).drop_duplicates("metric")
    found = found[~found["metric"].str.endswith(ROTATED)]
    return dict(zip(found["metric"], found["title"], strict=True))


@cached.kept(max_entries=16)
def color_titles(source: Source) -> dict[str, str]:
    """What the grid of heads can show."""
    selective = cached.head_selectivity(source)["attribute"].unique()
    return (
        {"label": "Label"}
        | head_metric_titles(source)
        | {SELECTIVITY + one: f"Selectivity for {one}" for one in selective}
    )


def mask(source: Source, scope: Scope) -> NDArray[np.bool_]:
    """Which of the stored heads a scope stands for -> [head]."""
    chosen = set(resolve(source, scope))
    return np.array([head in chosen for head in cached.all_heads(source)])


def find_images(source: Source, words: str, *, stored: bool) -> pd.DataFrame:
    """Images whose path or attributes hold every word."""
    found = cached.images(source)
    if stored:
        found = found[found["stored"]]
    for word in words.lower().split():
        found = found[found["words"].str.contains(word, regex=False)]
    return found


def first_image(source: Source) -> str:
    """The first image whose maps are stored; the first of all where none are."""
    stored = find_images(source, "", stored=True)
    return (cached.images(source) if stored.empty else stored)["image_id"].iloc[0]


def most_neighbors(source: Source) -> int:
    """As many as there are other images, within what a page can show."""
    return max(1, min(MAX_K, source.images - 1))


def most_of_each(source: Source) -> int:
    """As many images as either end of a text's direction can show without meeting the other."""
    return max(1, min(MAX_OF_EACH, source.images // 2))


def in_pool(source: Source, text: str) -> bool:
    return cached.normal(text) in cached.pool(source).row


def text_filters(source: Source, head: Head | None) -> dict[str, str]:
    """Ways to narrow the pool down: none, what describes a head, one property."""
    own = {"head": f"what describes {head_name(head)}"} if head else {}
    named = {
        f"property:{row.property}": f"{row.property} · {row.texts} texts"
        for row in cached.properties(source).itertuples()
    }
    return {"": f"any property · {len(cached.pool(source).texts):,} texts"} | own | named


def texts(source: Source, which: str, head: Head | None) -> list[str]:
    """Texts of the pool under one of `text_filters`."""
    if which == "head" and head:
        return cached.head_texts(source, head)
    return cached.texts(source, which.partition(":")[2] or None)


def random_texts(source: Source, seed: int, count: int, without: Sequence[str]) -> list[str]:
    others = [text for text in cached.pool(source).texts if text not in without]
    return [others[i] for i in np.random.default_rng(seed).permutation(len(others))[:count]]


@cached.kept(max_entries=16)
def best_head(source: Source) -> Head:
    """The most important head with a supported label; the most important of all where none is supported.

    Where importance is not known, as for imported results, the one with the smallest p-value.
    """
    heads = cached.heads(source).fillna({"importance": 0.0, "p_value": 1.0})
    best = max(heads.itertuples(), key=lambda row: (row.supported is True, row.importance, -row.p_value))
    return best.layer, best.head


def best_scope(source: Source) -> Scope:
    """The property that the best head is about."""
    best = best_head(source)
    label = next(row.label for row in cached.heads(source).itertuples() if (row.layer, row.head) == best)
    return Scope("property", property=label) if label in property_titles(source) else Scope("all")


def best_metric(source: Source) -> str:
    """The first metric that models are ranked by; the first of all where they are ranked by none."""
    found = cached.leaderboard(source.bundle).sort_values("position", kind="stable")
    ranked = found[found["rank_low"].notna()]
    return (found if ranked.empty else ranked)["metric"].iloc[0]


def attributes(source: Source) -> tuple[str, ...]:
    """Attributes that can be asked zero-shot; none where the bundle has no class texts."""
    return tuple(cached.class_texts(source.bundle)["attribute"].unique())


def best_attribute(source: Source) -> str:
    """The attribute that the best head is about; the first of all where it is about none."""
    named = attributes(source)
    label = best_scope(source).property
    return label if label in named else next(iter(named), "")


def best_text(source: Source) -> str:
    """The first text that describes the best head."""
    return next(iter(cached.head_texts(source, best_head(source))), cached.pool(source).texts[0])


def other_text(source: Source) -> str:
    """A text to set against it: another that describes the same head; the same where there is no other."""
    texts = [*cached.head_texts(source, best_head(source))[:2], *cached.pool(source).texts]
    best = best_text(source)
    return next((text for text in texts if text != best), best)
