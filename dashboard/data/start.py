"""Values of the start page for one model: its rank, the images of one head, and a picture of each analysis.

Reads only what the bundle stores: no picture needs the model.
"""

from collections.abc import Callable, Sequence
from textwrap import shorten
from typing import Any, NamedTuple

import pandas as pd

from dashboard import images as image_drawing
from dashboard.data import (
    cached,
    choices,
    defaults,
    images,
    leaderboard,
    maps,
    neighbors,
    picture_words,
    scopes,
    texts,
)
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from dashboard.state.views import (
    ContrastView,
    Head,
    ImageNeighborsView,
    MapView,
    PropertyView,
    Scope,
    TextNeighborsView,
    TopicView,
    View,
    head_name,
    to_query,
)

SIDE = 400
"""Side of the picture of an analysis, pixels: twice of what a page of 1,440 pixels shows."""

NEAREST = 4
"""Number of pictures of an analysis of neighbors, with the picture that was asked for."""

STRIP = 8
"""Number of images of the head."""

FRAME = image_drawing.DIVERGING[8]
"""Color of the frame around the picture that was asked for."""

LETTERS = 36
"""Letters of a text in the caption of an analysis: two lines of a card with what is said of it."""


class Card(NamedTuple):
    """An analysis and its first view."""

    page: str
    caption: str
    picture: bytes
    """WebP; empty if the bundle has no thumbnails."""

    alt: str
    link: dict[str, str]


class Strip(NamedTuple):
    """The images that are most aligned with the first text of a head."""

    text: str
    share: float
    """Share of the head's variance along the text."""

    images: pd.DataFrame


def rank_words(source: Source) -> str:
    """Returns the place of a model on the leaderboard; empty without a rank."""
    board = leaderboard.first_leaderboard(source.bundle)
    rows = leaderboard.one_metric(board)
    rank = rows.loc[(rows["model_key"] == source.key) & (rows["part"] == leaderboard.MODEL), "rank"]
    if rank.empty or not rank.iloc[0]:
        return ""
    return f"Rank {rank.iloc[0]} trained models by {board.metrics[board.metric].title.lower()}. "


def strip(source: Source, head: Head) -> Strip | None:
    """Returns the images of a head; None if it has no texts, or the model no vectors."""
    if not source.has_vectors or not (named := texts.of_head(source, head)):
        return None
    k = min(STRIP, choices.max_of_each(source))
    result = head_data.sorted_images(source, head, 0, k, 0)
    return Strip(named[0], result.share, result.most)


@cached.kept(max_entries=16)
def cards(source: Source) -> tuple[Card, ...]:
    """Returns the analyses of a model with vectors, each with a picture of its first view."""
    makers: tuple[Callable[[Source], Card], ...]
    makers = (_property_card, _topic_card, _contrast_card, _image_card, _text_card)
    return tuple(make(source) for make in makers)


def _property_card(source: Source) -> Card:
    view = defaults.default_view(source, PropertyView)
    heads = scopes.resolve(source, view.heads)
    near = neighbors.neighbors_of_image(source, view.image, heads, view.by, NEAREST - 1)
    caption = f"Pictures like the framed one in {_scope_words(view.heads)}"
    return _neighbors_card(source, view, "property_search", caption, [view.image, *near["image_id"]])


def _image_card(source: Source) -> Card:
    view = defaults.default_view(source, ImageNeighborsView)
    near = neighbors.neighbors_of_image(source, view.image, (view.head,), view.by, NEAREST - 1)
    caption = f"Pictures like the framed one to head {head_name(view.head)}"
    return _neighbors_card(source, view, "image_neighbors", caption, [view.image, *near["image_id"]])


def _text_card(source: Source) -> Card:
    view = defaults.default_view(source, TextNeighborsView)
    image_ids: list[str] = []
    if texts.in_pool(source, view.text):
        near, _ = neighbors.neighbors_of_text(source, view.text, view.head, view.by, NEAREST)
        image_ids = list(near["image_id"])
    caption = f"To {head_name(view.head)}: {_quoted(view.text)}"
    return _neighbors_card(source, view, "text_neighbors", caption, image_ids, framed=False)


def _topic_card(source: Source) -> Card:
    view = defaults.default_view(source, TopicView)
    caption = f"Where the picture matches {_quoted(view.text)}"
    return _map_card(source, view, "topic_segmentation", caption, maps.topic)


def _contrast_card(source: Source) -> Card:
    view = defaults.default_view(source, ContrastView)
    caption = f"Orange: {_quoted(view.text)}, purple: {_quoted(view.against)}"
    return _map_card(source, view, "contrastive_segmentation", caption, maps.contrast)


def _quoted(text: str) -> str:
    return f"“{shorten(text, LETTERS, placeholder=' …')}”"


def _seen(image: Any) -> str:
    """Returns what an image shows, else its file."""
    return picture_words.seen(image.attributes) or image.path


def _scope_words(scope: Scope) -> str:
    return scope.property if scope.kind == "property" else "all heads"


def _neighbors_card(
    source: Source, view: View, page: str, caption: str, image_ids: Sequence[str], *, framed: bool = True
) -> Card:
    """Returns the card of images, the first in a frame if it is the one asked for."""
    thumbnails = images.thumbnails(source, tuple(image_ids))
    pictures = [image_drawing.read(data) for image_id in image_ids if (data := thumbnails[image_id])]
    mosaic = image_drawing.mosaic(pictures, SIDE, FRAME if framed and thumbnails[image_ids[0]] else "")
    rows = images.described(source, image_ids)
    alt = f"{caption}: {'; '.join(_seen(row) for row in rows.itertuples())}"
    return Card(page, caption, image_drawing.webp(mosaic) if pictures else b"", alt, to_query(view))


def _map_card(
    source: Source, view: MapView, page: str, caption: str, draw: Callable[..., maps.MapPanel]
) -> Card:
    """Returns the card of a map, or of its image alone if its map is not stored or a text not in the pool."""
    info = images.info(source, view.image)
    subject = [view.text, getattr(view, "against", view.text)]
    picture, alt = b"", f"{caption}: {_seen(info)}"
    if info.stored and not texts.outside_pool(source, subject):
        panel = draw(source, view)
        grid = panel.total.map.grid
        shown = image_drawing.overlay(panel.picture, grid, panel.limit, view.opacity / 100, side=SIDE)
        picture, alt = image_drawing.webp(shown), f"{alt}. {maps.in_words(panel.total.title, grid)}"
    elif data := images.thumbnails(source, [view.image])[view.image]:
        picture = data
    return Card(page, caption, picture, alt, to_query(view))
