"""Rows of a bundle's Lance tables by id, and the tables, which stay open with their bundle.

Rows are sorted by id, for binary search; no caller sees a row number.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from db import checks, lance_tables
from db.arrays import from_column
from db.connection import Bundle, check_current, check_vectors, cursor
from db.errors import BundleDamaged, UnknownName
from db.layout import VECTORS, lance_table
from db.locked_database import damage_named
from db.vector_columns import row_bytes

ID = {"images": "image_id", "texts": "text_id", "tokens": "image_id"}
TITLE = {"images": "image", "texts": "text", "tokens": "gallery image"}

BLOCK_BYTES = 2**24
"""Bytes of vectors in one block."""

_caches: WeakKeyDictionary[Bundle, dict[tuple[str, str], Any]] = WeakKeyDictionary()


def cache_of(bundle: Bundle) -> dict[tuple[str, str], Any]:
    """Returns the cache of a bundle, which lives as long as the bundle."""
    return _caches.setdefault(bundle, {})


def vectors_of(
    bundle: Bundle, kind: str, model_key: str, ids: Sequence[str] | None, columns: list[str]
) -> tuple[list[str], list[np.ndarray]]:
    """Returns columns as arrays, of the rows `ids` in that order, or of all rows sorted by id."""
    table = table_of(bundle, kind, model_key)
    if ids is None:
        rows = lance_tables.read(table, columns)
        return ids_of(bundle, kind, model_key).tolist(), [from_column(rows[name]) for name in columns]
    unique, back = np.unique(offsets_of(bundle, kind, model_key, ids), return_inverse=True)
    rows = lance_tables.read(table, columns, unique.tolist())
    return list(ids), [from_column(rows[name])[back] for name in columns]


def blocks_of(bundle: Bundle, kind: str, model_key: str, columns: list[str]) -> Iterator[list[np.ndarray]]:
    """Yields columns of all rows sorted by id, in blocks of limited memory."""
    table = table_of(bundle, kind, model_key)
    for rows in lance_tables.read_blocks(table, columns, rows_per_block(table, columns)):
        yield [from_column(rows[name]) for name in columns]


def rows_per_block(table: Any, columns: list[str]) -> int:
    """Returns how many rows of these columns make a block."""
    return max(1, BLOCK_BYTES // row_bytes(table.schema.field(name).type for name in columns))


def offsets_of(bundle: Bundle, kind: str, model_key: str, ids: Sequence[str]) -> np.ndarray:
    """Returns the row of each id; rejects an unknown id."""
    stored = ids_of(bundle, kind, model_key)
    place = np.searchsorted(stored, np.asarray(list(ids), dtype=object))
    for row_id, row in zip(ids, place, strict=True):
        if row == len(stored) or stored[row] != row_id:
            raise UnknownName(
                f'{TITLE[kind]} "{row_id}" is not in this bundle for {model_key}. Choose another one.'
            )
    return place


def ids_of(bundle: Bundle, kind: str, model_key: str) -> np.ndarray:
    """Returns all ids of a table, sorted: the order of its rows."""
    table = table_of(bundle, kind, model_key)
    cache = cache_of(bundle)
    if (kind + " ids", model_key) not in cache:
        ids = lance_tables.read(table, [ID[kind]])[ID[kind]].to_numpy()
        if not (ids[:-1] < ids[1:]).all():
            raise BundleDamaged(f"{kind} of {model_key} are not sorted by id. Build the bundle again.")
        cache[kind + " ids", model_key] = ids
    return cache[kind + " ids", model_key]


def table_of(bundle: Bundle, kind: str, model_key: str) -> Any:
    """Returns a Lance table, which stays open with its bundle: opening takes milliseconds.

    Raises:
        NoVectors: the model's results were imported.
        BundleDamaged: its name, columns or ids are not those that the tables speak of.
    """
    check_current(bundle)
    check_vectors(bundle, model_key)
    cache = cache_of(bundle)
    if (kind, model_key) not in cache:
        table = lance_tables.open_table(bundle.path / VECTORS, lance_table(kind, model_key))
        with damage_named(bundle.path):
            problems = checks.table_problems(cursor(bundle), table, kind, model_key, bundle.path / VECTORS)
        if problems:
            raise BundleDamaged(f'{problems[0]}. See what is damaged with "headlight bundle verify".')
        cache[kind, model_key] = table
    return cache[kind, model_key]
