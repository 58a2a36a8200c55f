"""Queries over a bundle: one function per question, its SQL in db/sql/<name of the function>.sql.

Every function takes the bundle first and returns a DataFrame; the first line of its SQL file defines a row.
`sql_of(name)` returns that SQL and `recorded()` lists the queries that ran, so that a page can show them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import pandas as pd

from db.connection import Bundle, check_model, query
from db.errors import UnknownName
from db.layout import head_name, sql_of

__all__ = ["sql_of"]

PAIRINGS = ("best", "place")
"""How heads of two models are paired in the table `head_match`."""


class Ran(NamedTuple):
    """A query that ran."""

    name: str
    """Its SQL is in db/sql/<name>.sql."""

    parameters: dict[str, Any]
    rows: int
    """Rows that it returned."""


_recorder: ContextVar[list[Ran] | None] = ContextVar("recorder", default=None)


@contextmanager
def recorded() -> Iterator[list[Ran]]:
    """Yields a list that collects every query of this thread, until the block ends or another block opens."""
    ran: list[Ran] = []
    token = _recorder.set(ran)
    try:
        yield ran
    finally:
        _recorder.reset(token)


def replay(ran: Iterable[Ran]) -> None:
    """Adds queries to the open recording: queries that just ran, or those behind a cached result."""
    if (recorder := _recorder.get()) is not None:
        recorder.extend(ran)


def models(bundle: Bundle) -> pd.DataFrame:
    """Returns all models with their facts, controls last."""
    return _ask(bundle, "models")


def leaderboard(
    bundle: Bundle,
    *,
    model_key: str | None = None,
    heads_used: str | None = None,
    labels: str | None = "offline",
) -> pd.DataFrame:
    """Returns the model metrics of all models or one in long form.

    `heads_used` is "all", "supported" or None for both; `labels` is "offline", "chosen" (only where a chosen
    label differs from the offline one) or None for both.
    """
    if model_key is not None:
        check_model(bundle, model_key)
    return _ask(bundle, "leaderboard", model_key=model_key, heads_used=heads_used, labels=labels)


def rotated_metrics(bundle: Bundle) -> pd.DataFrame:
    """Returns the model metrics of every model's rotated heads, mean and 95 % range over rotations."""
    return _ask(bundle, "rotated_metrics")


def metrics(bundle: Bundle) -> pd.DataFrame:
    """Returns title, description, unit and direction of every metric."""
    return _ask(bundle, "metrics")


def heads(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns the heads of one model with their chosen label, its evidence, and their first texts."""
    return _of_model(bundle, "heads", model_key)


def head_places(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns layer, head and name of every head of one model."""
    return _of_model(bundle, "head_places", model_key)


def head_texts(bundle: Bundle, *, model_key: str, layer: int, head: int) -> pd.DataFrame:
    """Returns the texts that describe one head, in the order of selection, with their variance."""
    return _of_head(bundle, "head_texts", model_key, layer, head)


def head_text_search(bundle: Bundle, *, model_key: str, words: Sequence[str]) -> pd.DataFrame:
    """Returns the texts of one model's heads with all words or their plurals, in any order and case."""
    return _of_model(bundle, "head_text_search", model_key, words=list(words))


def head_profile(bundle: Bundle, *, model_key: str, layer: int, head: int, picks: int = 10) -> pd.DataFrame:
    """Returns the properties of the first `picks` texts of one head, beside their share of the pool."""
    return _of_head(bundle, "head_profile", model_key, layer, head, picks=picks)


def head_profiles(bundle: Bundle, *, model_key: str, first: int = 5, picks: int = 10) -> pd.DataFrame:
    """Returns the properties of the first `picks` texts of all heads, and of the `first` among them."""
    return _of_model(bundle, "head_profiles", model_key, first=first, picks=picks)


def first_views(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns what the pages show of one model before anything is chosen, a row per page."""
    return _of_model(bundle, "first_views", model_key)


def head_matches(
    bundle: Bundle, *, model_key: str, other_model_key: str, pairing: str = "best"
) -> pd.DataFrame:
    """Returns the heads of one model paired with heads of another: `best` match, or the same `place`."""
    check_model(bundle, other_model_key)
    return _of_model(bundle, "head_matches", model_key, other_model_key=other_model_key, pairing=pairing)


def replicate_metrics(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns the values of the model metrics of one model in all replicates, NaN where undefined."""
    return _of_model(bundle, "replicate_metrics", model_key)


def replicate_head_metrics(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns the values of the metrics of one model's heads in all replicates, NaN where undefined."""
    return _of_model(bundle, "replicate_head_metrics", model_key)


def head_labels(bundle: Bundle, *, model_key: str, layer: int, head: int) -> pd.DataFrame:
    """Returns all labels of one head with their evidence, the chosen one first."""
    return _of_head(bundle, "head_labels", model_key, layer, head)


def head_metrics(
    bundle: Bundle, *, model_key: str, layer: int | None = None, head: int | None = None
) -> pd.DataFrame:
    """Returns the metrics of all heads of one model in long form, or of one head."""
    if layer is not None and head is not None:
        return _of_head(bundle, "head_metrics", model_key, layer, head)
    return _of_model(bundle, "head_metrics", model_key, layer=layer, head=head)


def head_selectivity(
    bundle: Bundle, *, model_key: str, layer: int | None = None, head: int | None = None
) -> pd.DataFrame:
    """Returns the selectivity of all heads of one model for every attribute, or of one head."""
    if layer is not None and head is not None:
        return _of_head(bundle, "head_selectivity", model_key, layer, head)
    return _of_model(bundle, "head_selectivity", model_key, layer=layer, head=head)


def language_model_answers(bundle: Bundle, *, model_key: str, layer: int, head: int) -> pd.DataFrame:
    """Returns every question to a language model about one head, with the full answer."""
    return _of_head(bundle, "language_model_answers", model_key, layer, head)


def judgements(bundle: Bundle, *, model_key: str, layer: int, head: int) -> pd.DataFrame:
    """Returns the judgements of all judges on one head."""
    return _of_head(bundle, "judgements", model_key, layer, head)


def properties(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns all properties, with the heads of one model labeled with them."""
    return _of_model(bundle, "properties", model_key)


def property_heads(bundle: Bundle, *, model_key: str, property: str) -> pd.DataFrame:
    """Returns the heads of one model whose chosen label is one property."""
    return _of_model(bundle, "property_heads", model_key, property=property)


def supported_or_all(rows: pd.DataFrame) -> list[tuple[int, int]]:
    """Returns layer and head of the supported heads among those of `property_heads`, or of all if none is."""
    supported = rows["supported"].fillna(False).astype(bool)
    # A head whose label is no better than that of rotated heads would blur the result of the supported heads.
    rows = rows[supported] if supported.any() else rows
    return sorted(zip(rows["layer"].tolist(), rows["head"].tolist(), strict=True))


def texts(
    bundle: Bundle, *, search: str | None = None, property: str | None = None, limit: int | None = None
) -> pd.DataFrame:
    """Returns the texts of the pool that contain `search` and have `property`, in pool order."""
    return _ask(bundle, "texts", search=search or None, property=property, limit=limit)


def images(
    bundle: Bundle,
    *,
    words: Sequence[str] = (),
    image_ids: Sequence[str] | None = None,
    attribute: str | None = None,
    value: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> pd.DataFrame:
    """Returns the images that have each of `words` in a path or an attribute, and an attribute (and value).

    A word is a whole word: red is not in checkered. "color:red" and "top left" are words side by side, in a
    path or in "attribute: value". `one_object` is false if the words may belong to different objects: two of
    them are values of attributes that have several values in this image. Those images come last. Only images
    of `image_ids` where given. `matches` is the number of all without a limit, the same in every row.
    """
    filters = {
        "words": list(words),
        "image_ids": None if image_ids is None else list(image_ids),
        "attribute": attribute,
        "value": value,
    }
    return _ask(bundle, "images", **filters, limit=limit, offset=offset)


def images_by_id(bundle: Bundle, *, image_ids: Sequence[str]) -> pd.DataFrame:
    """Returns images by their ids, in the order of the ids, without unknown ids."""
    return _in_order(_ask(bundle, "images_by_id", image_ids=list(image_ids)), image_ids)


def image_files(bundle: Bundle, *, image_id: str) -> pd.DataFrame:
    """Returns all paths of one image."""
    files = _ask(bundle, "image_files", image_id=image_id)
    if files.empty:
        raise UnknownName(f'image "{image_id}" is not in this bundle. Choose another one.')
    return files


def thumbnails(bundle: Bundle, *, image_ids: Sequence[str]) -> pd.DataFrame:
    """Returns thumbnails as JPEG bytes, in the order of the ids; None in a bundle without thumbnails."""
    return _in_order(_ask(bundle, "thumbnails", image_ids=list(image_ids)), image_ids)


def search(bundle: Bundle, *, phrase: str, model_key: str, limit: int = 5) -> pd.DataFrame:
    """Returns heads and models by name, labels of one model, and texts with all words of a phrase.

    At most `limit` of each kind: kind, model_key, layer, head, title, note. Heads and labels of `model_key`
    are first; a head is found by the beginning of its name, as L5.H3, l5h3 or L5.
    """
    return _of_model(bundle, "search", model_key, phrase=phrase, limit=limit)


def class_images(bundle: Bundle, *, attribute: str) -> pd.DataFrame:
    """Returns the images with exactly one class of an attribute, by id: image_id, value."""
    return _ask(bundle, "class_images", attribute=attribute)


def single_values(bundle: Bundle, *, attribute: str) -> pd.DataFrame:
    """Returns the images with exactly one value of an attribute, by id: image_id, value."""
    return _ask(bundle, "single_values", attribute=attribute)


def attribute_values(bundle: Bundle) -> pd.DataFrame:
    """Returns every value of every attribute with its number of images."""
    return _ask(bundle, "attribute_values")


def class_texts(bundle: Bundle) -> pd.DataFrame:
    """Returns the attribute values with a prompt for zero-shot classification."""
    return _ask(bundle, "class_texts")


def head_validation(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns the loss of every attribute without each head of one model."""
    return _of_model(bundle, "head_validation", model_key)


def validation_scores(bundle: Bundle, *, study: str | None = None) -> pd.DataFrame:
    """Returns the validation scores of all models, or one study: labels, maps, neighbors, mean_ablation."""
    return _ask(bundle, "validation_scores", study=study)


def component_shares(bundle: Bundle, *, model_key: str) -> pd.DataFrame:
    """Returns the share of the embedding's covariance by component, input first; they sum to 1."""
    return _of_model(bundle, "component_shares", model_key)


def published(bundle: Bundle) -> pd.DataFrame:
    """Returns figures quoted from papers."""
    return _ask(bundle, "published")


def failed_images(bundle: Bundle) -> pd.DataFrame:
    """Returns the files that could not be read, with the reason."""
    return _ask(bundle, "failed_images")


def image_set(bundle: Bundle) -> pd.DataFrame:
    """Returns the image set."""
    return _ask(bundle, "image_set")


def content_hashes(bundle: Bundle) -> pd.DataFrame:
    """Returns one row: SHA-256 of the sorted image ids, of the texts with properties, and of answers."""
    return _ask(bundle, "content_hashes")


def text_pool(bundle: Bundle) -> pd.DataFrame:
    """Returns the text pool."""
    return _ask(bundle, "text_pool")


def table_comments(bundle: Bundle) -> pd.DataFrame:
    """Returns every table with its meaning."""
    return _ask(bundle, "table_comments")


def table_columns(bundle: Bundle) -> pd.DataFrame:
    """Returns every column of every table with its type and meaning."""
    return _ask(bundle, "table_columns")


def runs(bundle: Bundle) -> pd.DataFrame:
    """Returns options, software and time of every stage."""
    return _ask(bundle, "runs")


def _ask(bundle: Bundle, name: str, **params: Any) -> pd.DataFrame:
    rows = query(bundle, sql_of(name), params)
    replay([Ran(name, params, len(rows))])
    return rows


def _of_model(bundle: Bundle, name: str, model_key: str, **params: Any) -> pd.DataFrame:
    check_model(bundle, model_key)
    return _ask(bundle, name, model_key=model_key, **params)


def _of_head(bundle: Bundle, name: str, model_key: str, layer: int, head: int, **params: Any) -> pd.DataFrame:
    rows = _of_model(bundle, name, model_key, layer=int(layer), head=int(head), **params)
    if rows.empty:  # rare: only then check that the head exists
        places = query(bundle, sql_of("head_places"), {"model_key": model_key})
        if not ((places["layer"] == layer) & (places["head"] == head)).any():
            raise UnknownName(
                f"head {head_name(layer, head)} of {model_key} is not in this bundle. "
                f"It has {places['name'].iloc[0]} to {places['name'].iloc[-1]}."
            )
    return rows


def _in_order(rows: pd.DataFrame, ids: Sequence[str]) -> pd.DataFrame:
    place: Mapping[str, int] = {image_id: row for row, image_id in enumerate(rows["image_id"])}
    return rows.iloc[[place[image_id] for image_id in ids if image_id in place]].reset_index(drop=True)
