"""Galleries: pictures in rows, each of which is one link or button, for the mouse and the keyboard.

A component without a frame: Streamlit's own images cannot be clicked, and each has two tab stops. Its script
writes every word as text.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard import images as image_drawing
from dashboard.data import defaults, digits
from dashboard.data import images as image_data
from dashboard.data.types import Source
from dashboard.sections.shared import NO_THUMBNAIL, image_words, short
from dashboard.state.url import leave_for, set_widget
from dashboard.state.views import Head, ImageNeighborsView, View, to_query

SCRIPT = Path(__file__).parents[1] / ".streamlit" / "gallery.js"
draw_tiles = st.components.v2.component(
    "headlight_gallery",
    html='<div class="gallery"></div>',
    js=SCRIPT.read_text(encoding="utf-8"),
    isolate_styles=False,
)

ON_BOTH = "on both sides"
"""Mark of an image that both sides of a comparison show."""

Thumbnails = Mapping[str, bytes | None]


def draw_queries(
    source: Source, frame: pd.DataFrame, view: View, *, columns: int = 6, key: str = "", **options: Any
) -> None:
    """Images with their scores, best first; a click makes one the image of the page's view."""
    link = to_query(view)
    tiles = scored(source, frame, lambda image_id: f"?{urlencode(link | {'image': image_id})}", **options)
    draw(tiles, f"gallery.{columns}.{key}", on_open=partial(set_widget, "image"))


def draw_linked(
    source: Source,
    frame: pd.DataFrame,
    head: Head,
    *,
    columns: int,
    form: str = "",
    thumbnails: Thumbnails | None = None,
    title: str = "",
    marked: Container[str] = (),
    key: str = "",
    plain: bool = False,
) -> None:
    """Images with their scores, best first; a click opens the neighbors of one in a head.

    `form` formats the score, else the digits show what differs; pages with several galleries pass the
    `thumbnails` of all. Those that are `marked` are on the other side of a comparison too. `plain` pictures
    have their score and name in the alt text only.
    """
    link = defaults.link(source, ImageNeighborsView, head=head)

    def address(image_id: str) -> str:
        return f"image_neighbors?{urlencode(link | {'image': image_id})}"

    tiles = scored(source, frame, address, form=form, thumbnails=thumbnails, title=title, marked=marked)
    if plain:
        tiles = [tile | {"score": "", "name": ""} for tile in tiles]
    if image_id := draw(tiles, f"gallery.{columns}.{key or title}"):
        leave_for("image_neighbors", link | {"image": image_id})


def draw_large(
    source: Source, frame: pd.DataFrame, view: View, *, columns: int, thumbnails: Thumbnails, title: str
) -> None:
    """Images with their scores in standard deviations, best first; a click shows one large on the page."""
    link = to_query(view)
    tiles = scored(
        source,
        frame,
        lambda image_id: f"?{urlencode(link | {'picture': image_id})}",
        form="+z.1f",
        thumbnails=thumbnails,
        title=title,
    )
    draw(tiles, f"gallery.{columns}.{title}", on_open=partial(set_widget, "picture"))


def draw_choices(source: Source, frame: pd.DataFrame, widget: str) -> None:
    """Images of `images.find`; a click makes one the value of a widget."""
    thumbnails = image_data.thumbnails(source, tuple(frame["image_id"]))
    tiles = [
        tile(
            row,
            thumbnails,
            name=short(row.path, 9),
            alt=image_words(row),
            note="" if row.one_object else "perhaps of different objects",
        )
        for row in frame.itertuples()
    ]
    draw(tiles, f"gallery.8.{widget}", on_open=partial(set_widget, widget))


def scored(
    source: Source,
    frame: pd.DataFrame,
    address: Callable[[str], str],
    *,
    form: str = "",
    thumbnails: Thumbnails | None = None,
    title: str = "",
    marked: Container[str] = (),
) -> list[dict[str, Any]]:
    """Returns the tiles of images with their scores, each with a link, and a mark on some of them."""
    form = form or f".{digits.decimals(frame['score'])}f"
    pictures = thumbnails or image_data.thumbnails(source, tuple(frame["image_id"]))
    tiles = []
    for row in frame.itertuples():
        score = digits.number(row.score, form)
        name = short(row.path, 11) if len(score) < 6 else ""  # a narrow tile has space for one of the two
        note = ON_BOTH if row.image_id in marked else ""
        alt = image_words(row, f"score {score}", title[:1].lower() + title[1:], note)
        words = {"score": score, "name": name, "note": note, "alt": alt}
        tiles.append(tile(row, pictures, **words, href=address(row.image_id)))
    return tiles


def tile(row: Any, thumbnails: Thumbnails, **words: str) -> dict[str, Any]:
    """Returns the picture of an image, with its words as they are written."""
    picture = thumbnails[row.image_id]
    return {
        "id": row.image_id,
        "picture": image_drawing.as_url(picture) if picture else "",
        "title": "\n".join(filter(None, [row.path, *row.attributes.split(", ")])),
        **dict.fromkeys(("score", "note", "href"), ""),
        **words,
    }


def draw(tiles: Iterable[dict[str, Any]], key: str, on_open: Callable[[str], None] | None = None) -> str:
    """Draws tiles, as many a row as the second part of `key` says; returns the id that a click opened.

    The id goes to `on_open` before the page is drawn, if there is one.
    """

    def follow() -> None:
        if on_open and (image_id := (st.session_state.get(key) or {}).get("opened")):
            on_open(image_id)

    data = {"tiles": list(tiles), "missing": NO_THUMBNAIL}
    return draw_tiles(key=key, data=data, on_opened_change=follow).opened or ""
