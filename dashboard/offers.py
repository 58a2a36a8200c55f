"""What a bundle and a model have to choose from, and what is chosen first. Reads `data`, caches nothing."""

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard import data
from dashboard.source import Source
from dashboard.view_state import MAX_K, Choices, Head, Scope, V, head_name
from db import queries


def choices(source: Source) -> Choices:
    """What a link to a page over this model may ask for."""
    return Choices(
        bundles=tuple(data.bundle_paths()),
        models=tuple(data.models(source.bundle)["model_key"]),
        heads=tuple(head_names(source)),
        properties=tuple(property_titles(source)),
        metrics=tuple(data.metrics(source.bundle)["metric"]),
        attributes=attributes(source),
        images=int(source.info.images),
        has_image=lambda image_id: data.has_image(source, image_id),
    )


def default_view(source: Source, kind: type[V]) -> V:
    """What a page shows before anything is chosen: the strongest head that is about something."""
    first = {
        "bundle": lambda: source.name,
        "model": lambda: source.key,
        "image": lambda: first_image(source),
        "text": lambda: best_text(source),
        "against": lambda: other_text(source),
        "head": lambda: best_head(source),
        "heads": lambda: best_scope(source),
        "k": lambda: min(12, most_neighbors(source)),
        "metric": lambda: data.leaderboard(source.bundle)["metric"].iloc[0],
        "attribute": lambda: best_attribute(source),
    }
    return kind(**{field.name: first[field.name]() for field in fields(kind) if field.name in first})


def head_names(source: Source) -> dict[Head, str]:
    """Every stored head with its label, as a picker shows it."""
    return {
        (row.layer, row.head): f"{row.name} · {claim(row)}"
        for row in data.heads(source).itertuples(index=False)
    }


def claim(row: Any) -> str:
    """A label as it is shown: with a question mark where rotated heads do as well."""
    if not isinstance(row.label, str):
        return "no label"
    return f"{row.label}?" if row.supported is False else row.label


def evidence(source: Source, head: Head) -> str:
    """One line on what a head's label rests on."""
    row = next(row for row in data.heads(source).itertuples() if (row.layer, row.head) == head)
    texts = "; ".join(data.head_texts(source, head)[:3]) or "none"
    if not isinstance(row.label, str):
        return f"{head_name(head)} has no label. Texts that describe it best: {texts}."
    support = {True: "supported", False: "unsupported: rotated heads do as well", None: "not tested"}
    q = "" if pd.isna(row.q_value) else f", q = {row.q_value:.2g}"
    verdict = support[None if row.supported is None else bool(row.supported)]
    return f"{head_name(head)} is labeled “{row.label}” ({verdict}{q}). Texts that describe it best: {texts}."


def property_titles(source: Source) -> dict[str, str]:
    """The properties that heads of this model are labeled with, best supported first."""
    found = data.properties(source)
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
        return data.property_heads(source, scope.property)
    if scope.kind == "layer":
        return tuple(head for head in head_names(source) if head[0] == scope.layer)
    return tuple(head_names(source)) if scope.kind == "all" else scope.heads


def mask(source: Source, scope: Scope) -> NDArray[np.bool_]:
    """Which of the stored heads a scope stands for -> [head]."""
    chosen = set(resolve(source, scope))
    return np.array([head in chosen for head in data.all_heads(source)])


def find_images(source: Source, words: str, *, stored: bool) -> pd.DataFrame:
    """Images whose path or attributes hold every word."""
    found = data.images(source)
    if stored:
        found = found[found["stored"]]
    for word in words.lower().split():
        found = found[found["words"].str.contains(word, regex=False)]
    return found


def first_image(source: Source) -> str:
    """The first image whose maps are stored; the first of all where none are."""
    stored = find_images(source, "", stored=True)
    return (data.images(source) if stored.empty else stored)["image_id"].iloc[0]


def most_neighbors(source: Source) -> int:
    """As many as there are other images, within what a page can show."""
    return max(1, min(MAX_K, int(source.info.images) - 1))


def in_pool(source: Source, text: str) -> bool:
    return data.normal(text) in data.pool(source).row


def text_filters(source: Source, head: Head | None) -> dict[str, str]:
    """Ways to narrow the pool down: none, what describes a head, one property."""
    own = {"head": f"what describes {head_name(head)}"} if head else {}
    named = {
        f"property:{row.property}": f"{row.property} · {row.texts} texts"
        for row in data.properties(source).itertuples()
    }
    return {"": f"any property · {len(data.pool(source).texts):,} texts"} | own | named


def texts(source: Source, which: str, head: Head | None) -> list[str]:
    """Texts of the pool under one of `text_filters`."""
    if which == "head" and head:
        return data.head_texts(source, head)
    return data.texts(source, which.partition(":")[2] or None)


def random_texts(source: Source, seed: int, count: int, without: Sequence[str]) -> list[str]:
    others = [text for text in data.pool(source).texts if text not in without]
    return [others[i] for i in np.random.default_rng(seed).permutation(len(others))[:count]]


def best_head(source: Source) -> Head:
    """The most important head with a supported label; the most important of all where none is supported."""
    best = max(data.heads(source).itertuples(), key=lambda row: (row.supported is True, row.importance))
    return best.layer, best.head


def best_scope(source: Source) -> Scope:
    """The property that the best head is about."""
    best = best_head(source)
    label = next(row.label for row in data.heads(source).itertuples() if (row.layer, row.head) == best)
    return Scope("property", property=label) if label in property_titles(source) else Scope("all")


def attributes(source: Source) -> tuple[str, ...]:
    """Attributes that can be asked zero-shot; none where the bundle has no class texts."""
    return tuple(data.class_texts(source.bundle)["attribute"].unique())


def best_attribute(source: Source) -> str:
    """The attribute that the best head is about; the first of all where it is about none."""
    named = attributes(source)
    label = best_scope(source).property
    return label if label in named else next(iter(named), "")


def best_text(source: Source) -> str:
    """The first text that describes the best head."""
    return next(iter(data.head_texts(source, best_head(source))), data.pool(source).texts[0])


def other_text(source: Source) -> str:
    """A text to set against it: another that describes the same head; the same where there is no other."""
    texts = [*data.head_texts(source, best_head(source))[:2], *data.pool(source).texts]
    best = best_text(source)
    return next((text for text in texts if text != best), best)


def sql_behind(source: Source, *names: str, **parameters: Any) -> dict[str, str]:
    """The SQL of some queries with the parameters filled in, ready to be run by hand.

    Filters that a page leaves open are null.
    """
    known = {"model_key": source.key, **parameters}
    return {
        f"db/sql/{name}.sql, with its parameters filled in": re.sub(
            r"\$(\w+)", lambda found: literal(known.get(found[1])), queries.sql_of(name)
        )
        for name in names
    }


def sql_behind_scope(source: Source, scope: Scope) -> dict[str, str]:
    """The query that found the heads, where one did."""
    named = scope.kind == "property"
    return sql_behind(source, "property_heads", property=scope.property) if named else {}


def literal(value: str | Sequence[str] | None) -> str:
    """A value as SQL writes it. To be read and copied: the queries of the pages take parameters."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"[{', '.join(literal(one) for one in value)}]"
