"""Vectors of the heads, images and texts of a bundle.

Shapes in brackets use the axis names of `precompute/__init__.py`. A row number is not an identity: rows are
sorted by image_id or text_id, and every result contains its ids.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from db import lance_tables
from db.arrays import finite, from_column
from db.connection import Bundle
from db.errors import StoreError, UnknownName
from db.layout import head_column, head_name
from db.queries import class_texts
from db.vector_rows import ID, blocks_of, cache_of, ids_of, table_of, vectors_of

METRICS = ("cosine", "dot")
MATRICES = ("basis", "covariance")
"""Columns of the table of heads that hold a matrix of `rank` rows."""


class HeadSpace(NamedTuple):
    """The subspaces of all stored heads of one model, sorted by layer, then head."""

    layer: np.ndarray
    """[n] int."""

    head: np.ndarray
    """[n] int."""

    basis: np.ndarray
    """[n, rank, d_out] float32; orthonormal rows, rows beyond a head's rank are zero."""

    mean: np.ndarray
    """[n, rank] float32: mean coordinates over the images, subtracted from stored coordinates."""

    scale: np.ndarray
    """[n] float32: stored image coordinates are (y - mean) / scale, or 0 for a constant head, of scale 0."""

    covariance: np.ndarray
    """[n, rank, rank] float32: covariance of the coordinates over the images; 0 for a constant head."""

    mean_length: np.ndarray
    """[n] float32: mean over the images of the length of y - mean."""

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Layer and head of every row."""
        return list(zip(self.layer.tolist(), self.head.tolist(), strict=True))


class Tokens(NamedTuple):
    """Token contributions of one image of the gallery."""

    coordinates: np.ndarray
    """[head, token, rank] float32, not centered: the sum over tokens is y. Token 0 is the class token."""

    rest: np.ndarray
    """[d_out] float32: the contribution of everything that is not a stored head."""


def head_spaces(bundle: Bundle, model_key: str, heads: Sequence[tuple[int, int]] | None = None) -> HeadSpace:
    """Returns bases, means and scales of all stored heads of one model, or of `heads`, in order."""
    if heads is not None:
        places = head_places(bundle, model_key, heads)
        return HeadSpace(*(part[places] for part in head_spaces(bundle, model_key)))
    table = table_of(bundle, "heads", model_key)
    cache = cache_of(bundle)
    if ("space", model_key) not in cache:
        rows = lance_tables.read(table, list(HeadSpace._fields))
        order = np.lexsort((rows["head"].to_numpy(), rows["layer"].to_numpy()))
        rank = rows["mean"].type.list_size
        parts = []
        for name in HeadSpace._fields:
            column = rows[name]
            is_vector = pa.types.is_fixed_size_list(column.type)
            values = (from_column(column) if is_vector else finite(column.to_numpy()))[order]
            parts.append(values.reshape(len(order), rank, -1) if name in MATRICES else values)
        cache["space", model_key] = HeadSpace(*parts)
    return cache["space", model_key]


def image_coordinates(
    bundle: Bundle, model_key: str, image_ids: Sequence[str] | None, heads: Sequence[tuple[int, int]]
) -> tuple[list[str], np.ndarray]:
    """Returns coordinates y - mean, [image, head, rank] float32, of `image_ids` in that order, or of all."""
    places = head_places(bundle, model_key, heads)
    ids, columns = vectors_of(bundle, "images", model_key, image_ids, [head_column(*head) for head in heads])
    scale = head_spaces(bundle, model_key).scale[places]
    return ids, _stack(columns, scale)


def image_embeddings(
    bundle: Bundle, model_key: str, image_ids: Sequence[str] | None = None
) -> tuple[list[str], np.ndarray]:
    """Returns unit-length embeddings, [image, d_out] float32, of `image_ids` in that order, or of all."""
    ids, columns = vectors_of(bundle, "images", model_key, image_ids, ["embedding"])
    return ids, columns[0].astype(np.float32)


def image_ids(bundle: Bundle, model_key: str) -> np.ndarray:
    """Returns the sorted ids of all images: the order of the blocks below."""
    return ids_of(bundle, "images", model_key)


def coordinate_blocks(
    bundle: Bundle, model_key: str, heads: Sequence[tuple[int, int]]
) -> Iterator[np.ndarray]:
    """Yields coordinates y - mean of all images in stored order, [image, head, rank] float32 a block."""
    scale = head_spaces(bundle, model_key).scale[head_places(bundle, model_key, heads)]
    for columns in blocks_of(bundle, "images", model_key, [head_column(*head) for head in heads]):
        yield _stack(columns, scale)


def embedding_blocks(bundle: Bundle, model_key: str) -> Iterator[np.ndarray]:
    """Yields unit-length embeddings of all images in stored order, [image, d_out] float32 a block."""
    for (column,) in blocks_of(bundle, "images", model_key, ["embedding"]):
        yield column.astype(np.float32)


def text_embeddings(
    bundle: Bundle, model_key: str, text_ids: Sequence[str] | None = None
) -> tuple[list[str], np.ndarray]:
    """Returns unit-length embeddings, [text, d_out] float32, of `text_ids` in that order, or of all."""
    ids, columns = vectors_of(bundle, "texts", model_key, text_ids, ["embedding"])
    return ids, columns[0].astype(np.float32)


def class_embeddings(bundle: Bundle, model_key: str, attribute: str) -> tuple[list[str], np.ndarray]:
    """Returns the values of an attribute and the unit-length embeddings of their prompts, [value, d_out]."""
    texts = class_texts(bundle)
    values = texts.loc[texts["attribute"] == attribute, "value"].tolist()
    if not values:
        attributes = ", ".join(texts["attribute"].unique()) or "none"
        raise UnknownName(
            f'attribute "{attribute}" has no class texts in this bundle. Those that have: {attributes}.'
        )
    rows = lance_tables.read(table_of(bundle, "classes", model_key), ["attribute", "value", "embedding"])
    names = zip(rows["attribute"].to_pylist(), rows["value"].to_pylist(), strict=True)
    place = {name: row for row, name in enumerate(names)}
    return values, from_column(rows["embedding"])[[place[attribute, value] for value in values]]


def nearest(
    bundle: Bundle, model_key: str, layer: int, head: int, query: np.ndarray, *, metric: str, k: int
) -> list[str]:
    """Returns the ids of at most `k` images nearest to `query` [rank] in one head, nearest first.

    The query is in coordinates: y - mean for the centered cosine, y for the paper's plain dot product, to
    which the mean adds a constant. LanceDB rounds the query to float16, so the order of images with nearly
    equal scores may differ. An image at the mean has no cosine and is left out.
    """
    head_places(bundle, model_key, [(layer, head)])
    table, column = table_of(bundle, "images", model_key), head_column(layer, head)
    if metric not in METRICS:
        raise StoreError(f'metric "{metric}" is not known. Use "cosine" or "dot".')
    if k < 1:
        raise StoreError(f"k is {k}. Ask for at least 1.")
    unit = _unit(query, table.schema.field(column).type.list_size)
    rows = lance_tables.search(table, column, unit, metric, k, ID["images"]).to_pandas()
    return rows.sort_values(["_distance", ID["images"]])[ID["images"]].tolist()


def gallery(bundle: Bundle, model_key: str) -> list[str]:
    """Returns the sorted ids of the images with token-level coordinates."""
    return list(ids_of(bundle, "tokens", model_key))


def tokens(
    bundle: Bundle, model_key: str, image_id: str, heads: Sequence[tuple[int, int]] | None = None
) -> Tokens:
    """Returns token-level coordinates of one gallery image, of all stored heads or of `heads`, in order."""
    space = head_spaces(bundle, model_key)
    if heads is None:
        heads = space.pairs
    places = head_places(bundle, model_key, heads)
    names = ["rest", "token_scale", *(head_column(*head) for head in heads)]
    _, (rest, scale, *columns) = vectors_of(bundle, "tokens", model_key, [image_id], names)
    rank = space.mean.shape[1]
    flat = _stack(columns, scale[0, places])[0]  # [head, token * rank]
    return Tokens(flat.reshape(len(heads), -1, rank), rest[0])


def _stack(columns: list[np.ndarray], scale: np.ndarray) -> np.ndarray:
    """Returns columns of stored vectors, each times its scale, [row, column, width] float32."""
    if not columns:
        raise StoreError("no heads were asked for. Give at least one (layer, head).")
    stacked = np.empty((len(columns[0]), len(columns), columns[0].shape[1]), np.float32)
    for place, column in enumerate(columns):
        np.multiply(column, scale[place], out=stacked[:, place], dtype=np.float32)
    return stacked


def head_places(bundle: Bundle, model_key: str, heads: Sequence[tuple[int, int]]) -> list[int]:
    """Returns the index of each head in `head_spaces`."""
    place = {pair: i for i, pair in enumerate(head_spaces(bundle, model_key).pairs)}
    for layer, head in heads:
        if (layer, head) not in place:
            first, last = head_name(*min(place)), head_name(*max(place))
            raise UnknownName(
                f"head {head_name(layer, head)} of {model_key} is not stored. Stored are {first} to {last}."
            )
    return [place[layer, head] for layer, head in heads]


def _unit(query: np.ndarray, width: int) -> np.ndarray:
    """Returns the query at unit length: LanceDB rounds it to float16, which loses small entries."""
    vector = np.asarray(query, np.float64)
    if vector.shape != (width,):
        raise StoreError(f"the query has shape {vector.shape}, but vectors here have shape ({width},).")
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise StoreError("the query has no direction (it is zero or not finite). Choose another one.")
    return (vector / length).astype(np.float32)
