"""Default views of the pages, and links to them."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import fields, replace
from typing import Any

from dashboard.data import cached, choices, images, label_text, leaderboard, texts
from dashboard.data.types import Source
from dashboard.state.views import (
    OF_PROPERTY,
    ContrastView,
    Head,
    HeadView,
    ImageNeighborsView,
    MeanAblationView,
    PropertyView,
    Scope,
    StartView,
    TextNeighborsView,
    TopicView,
    V,
    View,
    to_query,
)
from db.connection import Bundle
from db.questions import questions

FIRST_VIEWS: dict[type[View], str] = {
    StartView: "head",
    HeadView: "head",
    PropertyView: "property_search",
    TopicView: "topic_segmentation",
    ContrastView: "contrastive_segmentation",
    ImageNeighborsView: "image_neighbors",
    TextNeighborsView: "text_neighbors",
    MeanAblationView: "mean_ablation",
}
"""Names of the pages in the table of first views."""


def default_view(source: Source, kind: type[V], chosen: Collection[str] = ()) -> V:
    """Returns the default view of a page whose options `chosen` are given.

    It is the first view in the bundle. If there is none, or if one of its options is chosen, the default
    follows from the most important head with a supported label.
    """
    names = {field.name for field in fields(kind)}
    values: dict[str, Any] = {"bundle": source.name, "model": source.key}
    first = first_view(source, kind)
    if not first.keys() & set(chosen):
        values |= first
    values |= {name: best(source) for name, best in DEFAULTS.items() if name in names - values.keys()}
    if "k" in names:
        most = choices.max_of_each(source) if kind is HeadView else choices.max_neighbors(source)
        values["k"] = min(kind.k, most)  # type: ignore[attr-defined]
    return kind(**values)


def link(source: Source, kind: type[View], **changes: Any) -> dict[str, str]:
    """Returns the query parameters of a page over the same model: its defaults with the changes.

    They contain every field: the page then adds none, and the back button leads here again.
    """
    return to_query(replace(default_view(source, kind, changes), **changes))


@cached.kept(max_entries=64)
def first_view(source: Source, kind: type[View]) -> dict[str, Any]:
    """Returns the options that the bundle stores for the page; none if a later label has replaced its.

    A model without a first view of two texts has that of one, against a text of its best head, by all heads.
    """
    rows = cached.of_model(source, "first_views").set_index("page")
    if kind is ContrastView and FIRST_VIEWS[kind] not in rows.index:
        return _against_best(source, first_view(source, TopicView))
    if FIRST_VIEWS.get(kind) not in rows.index:
        return {}
    row = rows.loc[FIRST_VIEWS[kind]].dropna()
    if row.get("property", "") not in ("", *choices.property_titles(source)):
        return {}
    values = {"image": row.get("image_id"), "text": row.get("text"), "against": row.get("against")}
    values |= {"attribute": row.get("attribute")}
    if "property" in row:
        values["heads"] = Scope("property", property=row["property"])
    if "layer" in row and "head" in row:
        values["head"] = int(row["layer"]), int(row["head"])
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if value is not None and name in names}


def _against_best(source: Source, topic: dict[str, Any]) -> dict[str, Any]:
    """Returns the first view of one text as that of two, against a text of the best head."""
    if not topic:
        return {}
    others = (best_text(source), other_text(source))
    against = next(text for text in others if text != topic["text"])
    return topic | {"against": against, "heads": Scope("all")}


def head_links(source: Source, heads: Iterable[Head]) -> list[dict[str, str]]:
    """Returns the query parameters of the page of each head."""
    view = default_view(source, HeadView, ["head"])
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
    return leaderboard.first_metric(source.bundle)


@cached.kept(max_entries=16)
def best_model(bundle: Bundle) -> str:
    """Returns the key of the first trained model by the first metric, with vectors if any model has them."""
    lines = leaderboard.first_leaderboard(bundle).lines
    models = {row.model_key: row for row in cached.models(bundle).itertuples()}
    best = max(  # the first of equals
        lines, key=lambda line: (line.part == leaderboard.MODEL, models[line.model_key].has_vectors)
    )
    return best.model_key


def best_attribute(source: Source) -> str:
    """The attribute that the best head is about; the first of all where it is about none."""
    named = choices.attributes(source)
    label = best_scope(source).property
    return label if label in named else next(iter(named), "")


def best_concept(source: Source) -> str:
    """Returns the property of the best head's label, else the first of the pool; empty if it has none."""
    properties = texts.properties(source)
    label = label_text.head_row(source, best_head(source)).label
    best = label if label in properties else next(iter(properties), "")
    return f"{OF_PROPERTY}{best}" if best else ""


def best_text(source: Source) -> str:
    """Returns the first text of the best head."""
    return next(iter(texts.of_head(source, best_head(source))), texts.pool(source).texts[0])


def other_text(source: Source) -> str:
    """Returns another text of the best head, else of the pool; the same text if there is no other."""
    others = [*texts.of_head(source, best_head(source))[:2], *texts.pool(source).texts]
    best = best_text(source)
    return next((text for text in others if text != best), best)


def other_image(source: Source, image_id: str) -> str:
    """Returns the first image with stored maps that is another one, else the first other image."""
    for stored in (True, False):
        found = images.find(source, "", stored=stored, limit=2)["image_id"]
        if others := [other for other in found if other != image_id]:
            return others[0]
    return image_id


def other_model(source: Source) -> str:
    """Returns the first other model, or an empty string."""
    return next(iter(choices.other_models(source)), "")


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
    "other": other_model,
    "metric": best_metric,
    "attribute": best_attribute,
    "concept": best_concept,
    "query": lambda _: questions()[0].sql,
    "table": lambda _: "head_label",
}
"""Default of every option that depends on the model."""
