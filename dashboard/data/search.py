"""Links to what a bundle has under some words: heads, labels, texts, models and images."""

from typing import NamedTuple

from dashboard.data import cached, defaults, images
from dashboard.data.types import Source
from dashboard.state.views import HeadsView, HeadView, ImageNeighborsView, Labels, ReadsView, View

OF_EACH = 5
"""Maximum number of links of each kind."""


class Hit(NamedTuple):
    """A link to a page."""

    kind: str
    """head, label, text, image or model."""

    title: str
    note: str
    page: str
    """Name of the file of the page."""

    query: dict[str, str]


def find(source: Source, phrase: str) -> list[Hit]:
    """Returns links to what has the phrase in its name, at most OF_EACH of each kind, the best first."""
    sources = {other.key: other for other in cached.sources(source.bundle, source.name)}
    rows = cached.of_model(source, "search", phrase=phrase.strip(), limit=OF_EACH)
    hits = [_hit(sources.get(row.model_key, source), row, source) for row in rows.itertuples()]
    if source.has_vectors and phrase.strip():
        found = images.find(source, phrase, stored=False, limit=OF_EACH)
        hits += [
            _linked(source, "image", row.path, row.attributes, ImageNeighborsView, image=row.image_id)
            for row in found.itertuples()
        ]
    return hits


def _hit(other: Source, row: object, source: Source) -> Hit:
    """Returns the link of a row of the query `search`; `other` is its model."""
    kind, title, note = row.kind, row.title, row.note if isinstance(row.note, str) else ""  # type: ignore[attr-defined]
    if kind == "head":
        note = "; ".join(filter(None, [note, other.info.model if other.key != source.key else ""]))
        head = int(row.layer), int(row.head)  # type: ignore[attr-defined]
        return _linked(other, kind, title, note, HeadView, head=head)
    if kind == "label":
        return _linked(source, kind, title, note, HeadsView, labels=Labels((title,)))
    if kind == "model":
        return _linked(other, kind, title, note, HeadsView)
    if source.has_vectors:
        return _linked(source, kind, title, note, ReadsView, form="text", text=title)
    return _linked(source, kind, title, note, HeadsView, words=title)


PAGES: dict[type[View], str] = {
    HeadView: "head",
    HeadsView: "heads",
    ReadsView: "which_head",
    ImageNeighborsView: "image_neighbors",
}


def _linked(source: Source, kind: str, title: str, note: str, view: type[View], **changes: object) -> Hit:
    return Hit(kind, title, note, PAGES[view], defaults.link(source, view, **changes))
