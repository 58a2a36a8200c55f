"""Default views of the pages, and links to them."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

from dashboard.data import cached, choices, images, label_text, texts
from dashboard.data.types import Source
from dashboard.state.views import Head, HeadView, Scope, V, View, to_query


def default_view(source: Source, kind: type[V]) -> V:
    """Returns the default view of a page: the most important head with a supported label."""
    names = {field.name for field in fields(kind)}
    values: dict[str, Any] = {"bundle": source.name, "model": source.key}
    values |= {name: best(source) for name, best in DEFAULTS.items() if name in names}
    if "k" in names:
        most = choices.max_of_each(source) if kind is HeadView else choices.max_neighbors(source)
        values["k"] = min(kind.k, most)  # type: ignore[attr-defined]
    return kind(**values)


def link(source: Source, kind: type[View], **changes: Any) -> dict[str, str]:
    """Returns the query parameters of a page over the same model: its defaults with the changes.

    They contain every field: the page then adds none, and the back button leads here again.
    """
    return to_query(replace(default_view(source, kind), **changes))


def head_links(source: Source, heads: Iterable[Head]) -> list[dict[str, str]]:
    """Returns the query parameters of the page of each head."""
    view = default_view(source, HeadView)
    return [to_query(replace(view, head=head)) for head in heads]


@cached.kept(max_entries=16)
def best_head(source: Source) -> Head:
    """Returns the most important head with a supported label, else the most important head.

    Imported results have no importance: the head with the smallest p-value.
    """
    heads = cached.heads(source).fillna({"importance": 0.0, "p_value": 1.0})
    best = max(heads.itertuples(), key=lambda row: (row.supported is True, row.importance, -row.p_value))
    return best.layer, best.head


def best_scope(source: Source) -> Scope:
    """Returns the property of the best head's label."""
    label = label_text.head_row(source, best_head(source)).label
    return Scope("property", property=label) if label in choices.property_titles(source) else Scope("all")


def best_metric(source: Source) -> str:
    """Returns the first metric with ranks, else the first metric."""
    rows = cached.leaderboard(source.bundle).sort_values("position", kind="stable")
    ranked = rows[rows["rank_low"].notna()]
    return (rows if ranked.empty else ranked)["metric"].iloc[0]


def best_attribute(source: Source) -> str:
    """The attribute that the best head is about; the first of all where it is about none."""
    named = choices.attributes(source)
    label = best_scope(source).property
    return label if label in named else next(iter(named), "")


def best_text(source: Source) -> str:
    """Returns the first text of the best head."""
    return next(iter(texts.of_head(source, best_head(source))), texts.pool(source).texts[0])


def other_text(source: Source) -> str:
    """Returns another text of the best head, else of the pool; the same text if there is no other."""
    others = [*texts.of_head(source, best_head(source))[:2], *texts.pool(source).texts]
    best = best_text(source)
    return next((text for text in others if text != best), best)


def best_head_metric(source: Source) -> str:
    """Returns the first metric of heads, or an empty string."""
    return next(iter(choices.head_metric_titles(source)), "")


DEFAULTS: dict[str, Callable[[Source], Any]] = {
    "image": images.first_image,
    "text": best_text,
    "against": other_text,
    "head": best_head,
    "heads": best_scope,
    "head_metric": best_head_metric,
    "metric": best_metric,
    "attribute": best_attribute,
}
"""Default of every option that depends on the model."""
