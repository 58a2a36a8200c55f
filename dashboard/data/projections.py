"""Positions of all images along any text in a head, their histogram, and one picture among them."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import histograms, text_directions
from dashboard.analyses.histograms import OTHERS
from dashboard.data import cached, head_vectors, texts
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from dashboard.state.views import OF_ATTRIBUTE, Head, HeadView
from db import queries, vectors
from db.layout import normalize_text

NEAREST_TEXTS = 6

OTHER_GROUP = "other or several"
"""Name of the images whose value has no color of its own, or that have several values, or none."""


def along_text(source: Source, head: Head, text: str) -> text_directions.Along:
    """Returns the position of every image along a text, centered on the pool; may run the model."""
    basis = head_vectors.head_space(source, (head,)).basis[0]
    direction = basis @ (texts.embedding(source, text) - texts.pool(source).mean)
    length = np.linalg.norm(direction)

    def project() -> text_directions.Along:
        columns = (rows for (rows,) in head_vectors.blocks(source, [head]))
        return text_directions.along(columns, direction / length if length > 0 else direction)

    return head_vectors.cached_array(source, "along_text", (head, normalize_text(text)), project)


def along(source: Source, head: Head, text: str | int) -> text_directions.Along:
    """Returns the position of every image along a text, or along the head's text at a position."""
    if isinstance(text, str):
        return along_text(source, head, text)
    return head_data.along(source, head, text)


def text_of(source: Source, view: HeadView) -> str:
    """Returns the text of the view's histogram: its own, else the one that sorts the images."""
    return view.onto or head_data.texts(source, view.head)["text"].iloc[view.position]


class Histogram(NamedTuple):
    """Number of images by their position along a text."""

    bars: pd.DataFrame
    """group, begin, end (standard deviations), bottom, top, images."""

    groups: list[str]
    """Names of the groups, those of the highest mean first; "" without a split."""

    share: float
    """Share of the head's variance along the text."""

    attribute: str


def histogram(source: Source, view: HeadView) -> Histogram:
    """Returns the histogram of a view, split by its attribute."""
    attribute = split_attribute(source, view.head, view.split)
    return _histogram(source, view.head, view.onto or view.position, attribute)


@cached.kept(max_entries=64)
def _histogram(source: Source, head: Head, text: str | int, attribute: str) -> Histogram:
    positions = along(source, head, text)
    names, codes = attribute_codes(source, attribute) if attribute else ((), None)
    stack = histograms.stacked(positions.value, codes)
    titles = [names[code] if code != OTHERS else OTHER_GROUP for code in stack.groups]
    top = stack.images.cumsum(axis=0)
    bars = pd.DataFrame(
        {
            "group": np.repeat(titles, len(stack.edges) - 1),
            "begin": np.tile(stack.edges[:-1], len(titles)),
            "end": np.tile(stack.edges[1:], len(titles)),
            "bottom": (top - stack.images).ravel(),
            "top": top.ravel(),
            "images": stack.images.ravel(),
        }
    )
    return Histogram(bars[bars["images"] > 0], titles, positions.share, attribute)


@cached.kept(max_entries=8)
def attribute_codes(source: Source, attribute: str) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Returns the values of an attribute, and the place of every image's value among them, [image].

    An image with several values, or none, has OTHERS.
    """
    rows = queries.single_values(source.bundle, attribute=attribute)
    codes, names = pd.factorize(rows["value"], sort=True)
    known = pd.Series(codes, rows["image_id"].to_numpy())
    image_ids = vectors.image_ids(source.bundle, source.key)
    return tuple(names), cached.frozen(known.reindex(image_ids, fill_value=OTHERS).to_numpy(np.int32))


def split_attribute(source: Source, head: Head, split: str) -> str:
    """Returns the attribute that splits a histogram; empty for none."""
    if split == "most":
        rows = head_data.selectivity(source, head)
        return "" if rows.empty else str(rows["attribute"].iloc[0])
    return split.removeprefix(OF_ATTRIBUTE) if split.startswith(OF_ATTRIBUTE) else ""


class Place(NamedTuple):
    """One picture along the text that sorts the images of a head."""

    score: float
    """Standard deviations."""

    rank: int
    """1 is the most aligned image."""

    before: str
    """The next more aligned image; empty for the first."""

    after: str
    """The next less aligned image; empty for the last."""


def place(source: Source, view: HeadView) -> Place:
    """Returns the place of the view's picture; ties are in the order of the images."""
    value = head_data.along(source, view.head, view.position).value
    image_ids = vectors.image_ids(source.bundle, source.key)
    order = np.argsort(-value, kind="stable")
    row = head_vectors.row_of(view.picture, image_ids)
    assert row is not None, "the link was checked"
    rank = int(np.flatnonzero(order == row)[0])
    before, after = (
        str(image_ids[order[near]]) if 0 <= near < len(order) else "" for near in (rank - 1, rank + 1)
    )
    return Place(float(value[row]), rank + 1, before, after)


@cached.kept(max_entries=256)
def nearest_texts(source: Source, head: Head, image_id: str) -> pd.DataFrame:
    """Returns the texts of the pool nearest to a picture in a head, by centered cosine: text, score."""
    y = head_vectors.stored_coordinates(source, image_id, (head,))[0]
    rows = texts.head_column(source, head)
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(y)
    score = np.divide(rows @ y, lengths, out=np.zeros(len(rows), np.float32), where=lengths > 0)
    best = np.argsort(-score, kind="stable")[:NEAREST_TEXTS]
    return pd.DataFrame({"text": [texts.pool(source).texts[row] for row in best], "score": score[best]})


def mark(source: Source, view: HeadView) -> float | None:
    """Returns the position of the view's picture in its histogram; None without a picture."""
    row = head_vectors.row_of(view.picture, vectors.image_ids(source.bundle, source.key))
    return None if row is None else float(along(source, view.head, view.onto or view.position).value[row])
