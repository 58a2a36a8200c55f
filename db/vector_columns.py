"""Columns that each Lance table of a model must have, for the checks of a bundle."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from db.layout import head_column


class VectorShape(NamedTuple):
    """Facts of a model that determine the columns of its vectors."""

    heads: list[tuple[int, int]]
    """Layer and head of all decomposed heads, in order."""

    rank: int
    d_out: int
    tokens: int
    """Tokens of one image."""


def vector_columns(kind: str, shape: VectorShape) -> dict[str, pa.DataType]:
    """Returns the type of each column of a Lance table of one kind, by name."""
    heads, rank, d_out, tokens = shape
    embedding = {"embedding": _vector(pa.float32(), d_out)}
    if kind == "images":
        fixed = {"image_id": pa.string(), "embedding": _vector(pa.float16(), d_out)}
        return fixed | _of_heads(heads, rank)
    if kind == "texts":
        return {"text_id": pa.string()} | embedding | _of_heads(heads, rank)
    if kind == "classes":
        return {"attribute": pa.string(), "value": pa.string()} | embedding
    if kind == "tokens":
        scale = _vector(pa.float32(), len(heads))
        fixed = {"image_id": pa.string(), "rest": _vector(pa.float32(), d_out), "token_scale": scale}
        return fixed | _of_heads(heads, tokens * rank)
    return {
        "layer": pa.int32(),
        "head": pa.int32(),
        "basis": _vector(pa.float32(), rank * d_out),
        "mean": _vector(pa.float32(), rank),
        "scale": pa.float32(),
        "covariance": _vector(pa.float32(), rank * rank),
        "mean_length": pa.float32(),
    }


def row_bytes(types: Iterable[pa.DataType]) -> int:
    """Returns the bytes of one row of these columns; texts count as none."""
    return sum(map(_bytes, types))


def _bytes(kind: pa.DataType) -> int:
    if pa.types.is_fixed_size_list(kind):
        return kind.list_size * _bytes(kind.value_type)
    return kind.bit_width // 8 if pa.types.is_primitive(kind) else 0


def _of_heads(heads: list[tuple[int, int]], width: int) -> dict[str, pa.DataType]:
    return {head_column(layer, head): _vector(pa.float16(), width) for layer, head in heads}


def _vector(kind: pa.DataType, width: int) -> pa.DataType:
    return pa.list_(kind, min(max(width, 0), 2**31 - 1))  # a table may claim any number
