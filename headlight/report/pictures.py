"""Pictures of the report: thumbnails, each written once, and maps over what the model sees."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from dashboard import images as image_drawing
from dashboard.analyses import maps
from dashboard.data import digits, head_vectors, picture_words, texts
from dashboard.data.images import described
from dashboard.data.maps import in_words as map_words
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name
from db import queries, vectors
from headlight.report import places

SIDE = 192
"""Width of a map, pixels."""

OPACITY = 0.65
"""As on the pages of maps."""

JPEG = b"\xff\xd8\xff"


class Tile(NamedTuple):
    """A picture with its words."""

    src: str
    """Path from the root of the report; empty without a picture."""

    alt: str
    caption: str


class MapRow(NamedTuple):
    """One image of the gallery: what the model sees, and maps on one scale."""

    title: str
    tiles: list[Tile]
    scale: str


class Album:
    """The pictures of one report that is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._thumbnails: dict[str, str] = {}
        """Path of every image's thumbnail; empty if the bundle has none."""

        self._inputs: dict[tuple[str, str], tuple[Image.Image, Tile, str]] = {}
        """Result of `_input` by model_key and image_id."""

    def read(self, source: Source, image_ids: Sequence[str]) -> dict[str, Any]:
        """Returns path and attributes of images by id, and writes the thumbnails that no page has shown yet.

        Thumbnails are JPEG, whatever the bundle holds.
        """
        new = [image_id for image_id in dict.fromkeys(image_ids) if image_id not in self._thumbnails]
        self._thumbnails |= dict.fromkeys(new, "")
        rows = queries.thumbnails(source.bundle, image_ids=new).itertuples() if new else ()
        for row in rows:
            if row.thumbnail and image_drawing.is_thumbnail(row.thumbnail):
                name = places.image_file(row.image_id)
                (self.root / name).write_bytes(as_jpeg(row.thumbnail))
                self._thumbnails[row.image_id] = name
        return {row.image_id: row for row in described(source, image_ids).itertuples()}

    def tile(self, image: Any, score: str, what: str) -> Tile:
        """Returns the thumbnail of an image of `read` with its score."""
        words = score if score == "query" else f"score {score}"
        alt = ", ".join(dict.fromkeys([seen(image), words, what]))
        return Tile(self._thumbnails[image.image_id], alt, score)

    def draw_maps(self, source: Source, head: Head, text: str, image_ids: Sequence[str]) -> list[MapRow]:
        """Returns the maps of a text through a head over images of the gallery, beside a control.

        The control is the same text through a random head of similar variance, as on the page Topic
        segmentation.
        """
        others = head_vectors.random_heads(source, (head,), 0)
        shown = [("Map", head), *((f"Control: {head_name(other)}", other) for other in others)]
        heads = [place for _, place in shown]
        basis = head_vectors.head_space(source, heads).basis
        vector = texts.embedding(source, text).astype(np.float64)
        rows = []
        for number, image_id in enumerate(image_ids):
            tokens = vectors.tokens(source.bundle, source.key, image_id, heads)
            grids = [
                maps.text_map(tokens.coordinates, basis, tokens.rest, vector, alone, source.grid).grid
                for alone in np.eye(len(heads), dtype=bool)
            ]
            picture, tile, title = self._input(source, image_id)
            limit = maps.symmetric_limit(*grids)
            tiles = [tile]
            for letter, (kind, _), grid in zip("abc", shown, grids, strict=False):
                name = places.map_file(source.key, head, f"{number}{letter}")
                drawn = image_drawing.overlay(picture, grid, limit, OPACITY, side=SIDE)
                (self.root / name).write_bytes(_jpeg(drawn))
                tiles.append(Tile(name, map_words(f"{kind} over {title}", grid), kind))
            rows.append(MapRow(title, tiles, digits.number(1000 * limit, ".3g")))
        return rows

    def _input(self, source: Source, image_id: str) -> tuple[Image.Image, Tile, str]:
        """Returns what a model sees of an image of its gallery, written once, and what is seen on it."""
        if (source.key, image_id) not in self._inputs:
            row = described(source, [image_id]).iloc[0]
            data = queries.thumbnails(source.bundle, image_ids=[image_id])["thumbnail"].iloc[0]
            usable = image_drawing.read(data) if data and image_drawing.is_thumbnail(data) else None
            picture = image_drawing.enlarge(image_drawing.covered(usable, source.info), SIDE)
            name = places.picture_file(source.key, image_id)
            (self.root / name).write_bytes(_jpeg(picture))
            tile = Tile(name, f"{seen(row)}: the part that the model sees", "Picture")
            self._inputs[source.key, image_id] = picture, tile, seen(row)
        return self._inputs[source.key, image_id]


def seen(image: Any) -> str:
    """Returns what is seen on an image, else its path or id."""
    return picture_words.seen(image.attributes) or image.path or image.image_id


def as_jpeg(data: bytes) -> bytes:
    """Returns a thumbnail as JPEG; one that is JPEG stays as it is."""
    return data if data.startswith(JPEG) else _jpeg(image_drawing.read(data))


def _jpeg(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=82)
    return stream.getvalue()
