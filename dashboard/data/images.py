"""Images of the bundle and uploaded images: attributes, thumbnails, and search.

Reads only the images that a page shows: a bundle may contain a million.
"""

import re
from collections.abc import Sequence
from itertools import islice

import pandas as pd
import streamlit as st

from dashboard import images as image_drawing
from dashboard.data import cached
from dashboard.data.live import LiveError
from dashboard.data.near_words import near_words
from dashboard.data.types import ImageInfo, Source
from dashboard.state.markdown import cut
from db import layout, queries, vectors

TERM = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
"""A word of a search, or several in quotes."""

MAX_ABSENT = 3
"""Words of a search without a match that a message names."""

MAX_GALLERIES = 64
"""Sets of thumbnails kept in memory, of up to 200 each: 2 MB of photographs."""

MAX_UPLOADS = 64
"""Uploaded images kept in memory, so that links to them work."""

MAX_UPLOAD_MB = 25
"""Largest uploaded file."""

MAX_UPLOADS_MB = 256
"""Size of all uploaded files in memory; beyond it the oldest are dropped."""


def described(source: Source, image_ids: Sequence[str]) -> pd.DataFrame:
    """Returns one row per image of the bundle, in the order of the ids: image_id, path, attributes."""
    rows = cached.query(source.bundle, "images_by_id", image_ids=tuple(image_ids))
    return _named(rows)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["image_id", "path", "attributes"]].fillna({"path": "", "attributes": ""})


def find(source: Source, words: str, *, stored: bool, limit: int, offset: int = 0) -> pd.DataFrame:
    """Returns images with every word in a path or an attribute, with `one_object` and `matches`.

    Images in which one object has all words are first; `matches` is the number of images without a limit.
    `stored` limits them to images with stored maps.
    """
    image_ids = tuple(vectors.gallery(source.bundle, source.key)) if stored else None
    filters = {"words": terms(words), "image_ids": image_ids}
    rows = cached.query(source.bundle, "images", **filters, limit=limit, offset=offset)
    return _named(rows).join(rows[["one_object", "matches"]])


def count(source: Source, words: str) -> int:
    """Returns the number of images with every word in a path or an attribute."""
    return int(find(source, words, stored=False, limit=1)["matches"].sum())


def terms(words: str) -> tuple[str, ...]:
    """Returns the words of a search; those in quotes stay together, as in position:"top left"."""
    unquoted = (term.replace('"', "") for term in TERM.findall(words))
    return tuple(dict.fromkeys(filter(None, unquoted)))


def no_match(source: Source, words: str, *, stored: bool) -> str:
    """Returns why a search finds no image: the words that no image has, with words spelled like them."""
    if stored and (others := count(source, words)):
        return f"No image with stored maps has “{cut(words)}”; {others:,} other images have."
    values = cached.query(source.bundle, "attribute_values")
    vocabulary = {word for text in [*values["attribute"], *values["value"]] for word in text.lower().split()}
    # A query a word: a pasted page of words would hold the server for minutes.
    absent = (term for term in terms(words) if not count(source, f'"{term}"'))
    problems = [
        f"No image has “{cut(term)}”{_suggested(term, vocabulary)}." for term in islice(absent, MAX_ABSENT)
    ]
    return " ".join(problems) or f"No image has all of “{cut(words)}”. Try fewer words."


def _suggested(term: str, vocabulary: set[str]) -> str:
    near = near_words(term.rpartition(":")[2], vocabulary)
    return f"; spelled like it: {', '.join(near)}" if near else ""


def attribute_names(source: Source) -> list[str]:
    """Returns the names of the attributes of the images."""
    return cached.query(source.bundle, "attribute_values")["attribute"].unique().tolist()


@cached.kept(max_entries=16)
def stored_images(source: Source) -> tuple[str, ...]:
    """Returns the ids of the images with stored maps, in the order of a search."""
    image_ids = vectors.gallery(source.bundle, source.key)
    rows = _named(queries.images_by_id(source.bundle, image_ids=image_ids))  # not cached: it would stay
    return tuple(rows.sort_values(["path", "image_id"])["image_id"])


def beside(source: Source, image_id: str) -> dict[str, str]:
    """Returns the images with stored maps before and after one, under Previous and Next; none at an end.

    After an image without stored maps comes the first one with them.
    """
    stored = stored_images(source)
    place = stored.index(image_id) if image_id in stored else -1
    places = {"Previous": place - 1, "Next": place + 1}
    return {name: stored[at] for name, at in places.items() if 0 <= at < len(stored)}


def first_image(source: Source) -> str:
    """Returns the first image with stored maps, else the first image."""
    stored = find(source, "", stored=True, limit=1)
    return (find(source, "", stored=False, limit=1) if stored.empty else stored)["image_id"].iloc[0]


def info(source: Source, image_id: str) -> ImageInfo:
    """Returns path and attributes of one image, of the bundle or uploaded."""
    rows = described(source, [image_id])
    if rows.empty:
        return ImageInfo(upload(image_id)[1], "uploaded image", False)
    stored = image_id in vectors.gallery(source.bundle, source.key)
    return ImageInfo(rows["path"][0], rows["attributes"][0], stored)


def exists(source: Source, image_id: str) -> bool:
    return image_id in uploads() or not described(source, [image_id]).empty


def thumbnails(source: Source, image_ids: Sequence[str]) -> dict[str, bytes | None]:
    """Returns thumbnails by image id; None if the bundle has none that is a small picture."""
    stored = _stored(source, tuple(image_ids))
    uploaded = uploads().copy()  # other sessions drop some meanwhile
    return {
        image_id: stored.get(image_id)
        or (_preview(image_id, uploaded[image_id]) if image_id in uploaded else None)
        for image_id in image_ids
    }


@cached.kept(max_entries=MAX_GALLERIES)
def _stored(source: Source, image_ids: tuple[str, ...]) -> dict[str, bytes]:
    """Returns the thumbnails of the bundle that are small pictures; decoding them all takes a while."""
    rows = queries.thumbnails(source.bundle, image_ids=image_ids)  # not cached: it would keep them
    pairs = zip(rows["image_id"], rows["thumbnail"], strict=True)
    return {image_id: data for image_id, data in pairs if data and image_drawing.is_thumbnail(data)}


@cached.kept(max_entries=MAX_UPLOADS)
def _preview(image_id: str, _upload: tuple[bytes, str]) -> bytes:
    return image_drawing.preview(_upload[0])


def upload(image_id: str) -> tuple[bytes, str]:
    """Returns bytes and file name of an uploaded image. Raises LiveError if the server has dropped it."""
    try:
        return uploads()[image_id]
    except KeyError:
        raise LiveError(
            "The server keeps the newest uploads only, and this image is no longer among them. Upload the "
            "file again."
        ) from None


@st.cache_resource
def uploads() -> dict[str, tuple[bytes, str]]:
    """Returns the uploaded images of this server: bytes and file name, by id."""
    return {}


def take_upload(data: bytes, name: str) -> str:
    """Stores an uploaded image in memory and returns its id; rejects bytes that are not an image."""
    if len(data) > MAX_UPLOAD_MB * 2**20:
        raise image_drawing.PictureError(
            f"{name} has {len(data) / 2**20:,.0f} MB. Choose a file of at most {MAX_UPLOAD_MB} MB."
        )
    image_drawing.read(data, name)
    image_id = layout.image_id(data)
    images = uploads()
    images[image_id] = (data, name)
    while len(images) > MAX_UPLOADS or _megabytes(images) > MAX_UPLOADS_MB:
        images.pop(next(iter(images)), None)
    return image_id


def _megabytes(images: dict[str, tuple[bytes, str]]) -> float:
    # A copy, for other sessions may add an image meanwhile.
    return sum(len(data) for data, _ in list(images.values())) / 2**20
