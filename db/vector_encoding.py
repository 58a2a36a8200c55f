"""Encoding of vectors for a bundle: numpy arrays in, Arrow batches out. Knows nothing of files.

Image coordinates are centered and divided by their head's RMS before they become float16: near
2e-3 they would lose their order, token coordinates near 1e-5 would be subnormal. Embeddings of
images are float16 too: entries of unit vectors, of which they are 13 % of the size at float32.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from db.arrays import to_column
from db.errors import StoreError
from db.layout import head_column
from db.vectors import HeadSpace


def checked_space(model_key: str, space: HeadSpace) -> HeadSpace:
    """The spaces in the types they are stored in; refuses shapes that do not fit and a wrong order."""
    n = len(space.layer)
    numbers = [np.asarray(part, np.float32) for part in space[2:]]
    layer, head = np.asarray(space.layer, np.int32), np.asarray(space.head, np.int32)
    rank = space.mean.shape[-1]
    shapes = {"basis": (n, rank, space.basis.shape[-1]), "mean": (n, rank), "scale": (n,)}
    shapes |= {"covariance": (n, rank, rank), "mean_length": (n,)}
    if len(head) != n or [part.shape for part in numbers] != list(shapes.values()):
        given = ", ".join(f"{name} {np.shape(part)}" for name, part in space._asdict().items())
        raise StoreError(
            f"spaces of {model_key} do not fit: {given}. Give layer [n], head [n], basis [n, rank, d_out], "
            "mean [n, rank], scale [n], covariance [n, rank, rank], mean_length [n]."
        )
    pairs = list(zip(layer.tolist(), head.tolist(), strict=True))
    if pairs != sorted(set(pairs)):
        raise StoreError(f"heads of {model_key} are not sorted by layer, then head. Sort them.")
    if not all(np.isfinite(part).all() for part in numbers):
        raise StoreError(f"spaces of {model_key} hold a number that is not finite. Compute them again.")
    return HeadSpace(layer, head, *numbers)


def pack_spaces(space: HeadSpace) -> pa.RecordBatch:
    """All heads of a model, one row each."""
    columns = {
        "layer": pa.array(space.layer),
        "head": pa.array(space.head),
        "basis": to_column(space.basis, np.float32),
        "mean": to_column(space.mean, np.float32),
        "scale": pa.array(space.scale),
        "covariance": to_column(space.covariance, np.float32),
        "mean_length": pa.array(space.mean_length),
    }
    return _batch(columns)


def image_schema(space: HeadSpace) -> pa.Schema:
    """Columns of images__<model_key>."""
    n, rank, d_out = space.basis.shape
    return pack_images(space, [], np.empty((0, d_out)), np.empty((0, n, rank))).schema


def pack_images(space: HeadSpace, ids: Sequence[str], embedding: Any, coordinates: Any) -> pa.RecordBatch:
    """Images with their coordinates [image, layer, head, rank], not centered."""
    n, rank, d_out = space.basis.shape
    y = shaped(coordinates, (len(ids), n, rank), "coordinates")
    # A head that is constant over images has scale 0. What is left of its coordinates is rounding.
    scale = np.broadcast_to(space.scale[:, None], y.shape)
    stored = np.divide(y - space.mean, scale, out=np.zeros_like(y), where=scale > 0)
    unit = shaped(embedding, (len(ids), d_out), "embedding")
    columns = {"image_id": pa.array(list(ids), pa.string()), "embedding": to_column(unit)}
    return _batch(columns | _head_columns(space, stored))


def pack_texts(space: HeadSpace, ids: Sequence[str], embedding: Any) -> pa.RecordBatch:
    """Texts, sorted by id, with their coordinates in every head, centered on the mean of these texts."""
    n, rank, d_out = space.basis.shape
    order = np.argsort(np.asarray(ids, dtype=object), kind="stable")
    unit = shaped(embedding, (len(ids), d_out), "embeddings")[order]
    centered = unit - unit.mean(axis=0, dtype=np.float64).astype(np.float32)
    coordinates = (centered @ space.basis.reshape(-1, d_out).T).reshape(len(ids), n, rank)
    sorted_ids = pa.array([ids[place] for place in order], pa.string())
    columns = {"text_id": sorted_ids, "embedding": to_column(unit, np.float32)}
    return _batch(columns | _head_columns(space, coordinates))


def pack_classes(
    space: HeadSpace, attributes: Sequence[str], values: Sequence[str], embedding: Any
) -> pa.RecordBatch:
    """Class texts, sorted by attribute and value."""
    names = list(zip(attributes, values, strict=True))
    for one, two in pairwise(sorted(names)):
        if one == two:
            raise StoreError(f'{one[0]} "{one[1]}" is given twice. Give each value once.')
    order = sorted(range(len(names)), key=names.__getitem__)
    unit = shaped(embedding, (len(names), space.basis.shape[2]), "class embeddings")[order]
    attribute, value = (pa.array([names[place][part] for place in order], pa.string()) for part in (0, 1))
    return _batch({"attribute": attribute, "value": value, "embedding": to_column(unit, np.float32)})


def token_schema(space: HeadSpace, tokens: int) -> pa.Schema:
    """Columns of tokens__<model_key>: one scale per image and head."""
    n, rank, d_out = space.basis.shape
    return pack_tokens(space, tokens, "", np.zeros((n, tokens, rank)), np.zeros(d_out)).schema


def pack_tokens(space: HeadSpace, tokens: int, image_id: str, coordinates: Any, rest: Any) -> pa.RecordBatch:
    """One gallery image with its coordinates [layer, head, token, rank], not centered."""
    n, rank, d_out = space.basis.shape
    y = shaped(coordinates, (n, tokens, rank), f"token coordinates of {image_id}")
    other = shaped(rest, (d_out,), f"rest of {image_id}")
    rms = np.sqrt(np.square(y, dtype=np.float64).mean(axis=(1, 2)))
    scale = np.where(rms > 0, rms, 1).astype(np.float32)
    columns = {
        "image_id": pa.array([image_id], pa.string()),
        "rest": to_column(other[None], np.float32),
        "token_scale": to_column(scale[None], np.float32),
    }
    return _batch(columns | _head_columns(space, (y / scale[:, None, None])[None]))


def check_rising(ids: Sequence[str], last: str) -> str:
    """The last id; refuses ids that do not rise, for readers look them up by halving."""
    for one in ids:
        if one <= last:
            raise StoreError(f'id "{one}" comes after "{last}". Write vectors sorted by id, each id once.')
        last = one
    return last


def shaped(array: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """`array` as float32 in `shape`, where only axes are joined ([layer, head] to [n]); all finite."""
    given = np.asarray(array, np.float32)
    joined = (
        given.reshape(shape) if given.size == np.prod(shape) and given.shape[-1:] == shape[-1:] else given
    )
    if joined.shape != shape:
        raise StoreError(f"{what} have shape {given.shape}, but {shape} is expected.")
    if not np.isfinite(joined).all():
        raise StoreError(f"{what} hold a number that is not finite. Compute them again.")
    return joined


def _head_columns(space: HeadSpace, stored: np.ndarray) -> dict[str, pa.Array]:
    """One column per head of [row, n, ...]."""
    pairs = zip(space.layer.tolist(), space.head.tolist(), strict=True)
    return {head_column(*pair): to_column(stored[:, place]) for place, pair in enumerate(pairs)}


def _batch(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Columns with their names and types; ids and numbers may not be null."""
    fields = [
        pa.field(name, column.type, pa.types.is_fixed_size_list(column.type))
        for name, column in columns.items()
    ]
    return pa.record_batch(list(columns.values()), schema=pa.schema(fields))
