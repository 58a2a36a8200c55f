"""Compares two bundles: tables row by row by key, vectors by id.

Compares contents and not files: Lance files are never equal byte for byte, DuckDB files rarely.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from db import ddl, lance_tables
from db.arrays import values_of
from db.checks import KEYS
from db.connection import Bundle, cursor, query
from db.layout import KINDS, VECTORS, lance_table
from db.tolerances import TOLERANCE, VECTOR_TOLERANCE

NOT_COMPARED = {"run": None, "language_model_answer": {"asked_at"}}
"""Columns with times, by table; None for all columns."""


def diff(
    a: Bundle, b: Bundle, *, tolerance: float = TOLERANCE, vector_tolerance: float = VECTOR_TOLERANCE
) -> list[str]:
    """Returns differences between two bundles, one sentence each; empty if they are equal."""
    return list(differences(a, b, tolerance, vector_tolerance))


def differences(a: Bundle, b: Bundle, tolerance: float, vector_tolerance: float) -> Iterator[str]:
    """Yields the same as `diff`, which may be millions."""
    yield from table_differences(a, b, tolerance)
    yield from vector_differences(a, b, vector_tolerance)


def table_differences(
    a: Bundle, b: Bundle, tolerance: float, where: Mapping[str, str | None] | None = None
) -> Iterator[str]:
    """Yields differences between the DuckDB tables, except `run`.

    `where` restricts the rows of a table by an SQL condition; None leaves the table out.
    """
    keys, types = ddl.keys(cursor(a)), ddl.types(cursor(a))
    for table, names in ddl.columns(cursor(a)).items():
        skipped = NOT_COMPARED.get(table, set())
        rows = (where or {}).get(table, "true")
        if skipped is not None and rows is not None:
            nullable = {name for name in keys[table] if not names[name]}
            left, right = (
                _rows(bundle, table, types[table], keys[table], nullable, rows) for bundle in (a, b)
            )
            values = [name for name in names if name not in {*keys[table], *skipped}]
            if not left.index.equals(right.index):
                yield from _missing(table, left.index, right.index)
                both = left.index.intersection(right.index)
                left, right = left.loc[both], right.loc[both]
            yield from _changed(table, left[values], right[values], tolerance)


def vector_differences(a: Bundle, b: Bundle, tolerance: float) -> Iterator[str]:
    """Yields differences between the Lance tables of the models in both bundles."""
    stored = [lance_tables.table_names(bundle.path / VECTORS) for bundle in (a, b)]
    for model_key in sorted(set(a.model_keys) & set(b.model_keys)):
        for kind in KINDS:
            name = lance_table(kind, model_key)
            present = [name in names for names in stored]
            if not all(present):
                if any(present):
                    yield f"{name}: missing in the {'second' if present[0] else 'first'}"
                continue
            left, right = (lance_tables.open_table(bundle.path / VECTORS, name) for bundle in (a, b))
            if left.schema != right.schema:
                yield f"{name}: columns differ"
                continue
            key = KEYS[kind]
            keys = [lance_tables.read(table, key).to_pandas().set_index(key).index for table in (left, right)]
            if not keys[0].equals(keys[1]):
                yield from _missing(name, *keys)
                continue
            for column in (column for column in left.schema.names if column not in key):
                yield from _vectors_changed(name, column, left, right, keys[0], tolerance)


def _rows(
    bundle: Bundle, table: str, kinds: dict[str, str], key: list[str], nullable: set[str], where: str
) -> pd.DataFrame:
    shown = [
        f'md5("{name}") as "{name}"' if kind == "BLOB"  # thumbnails need not be held in memory twice
        else f'"{name}"::varchar as "{name}"' if kind.endswith("[]")
        else f"""coalesce("{name}"::varchar, '') as "{name}" """ if name in nullable  # rows are found by it
        else f'"{name}"'
        for name, kind in kinds.items()
    ]  # fmt: skip
    order = ", ".join(f'"{name}"' for name in key)
    rows = f'select {", ".join(shown)} from "{table}" where {where} order by {order}'
    return query(bundle, rows).set_index(key)


def _missing(where: str, left: pd.Index, right: pd.Index) -> Iterator[str]:
    for index, side in ((left.difference(right), "second"), (right.difference(left), "first")):
        for key in index:
            yield f"{where}: {_shown(key)} is missing in the {side}"


def _changed(table: str, left: pd.DataFrame, right: pd.DataFrame, tolerance: float) -> Iterator[str]:
    """Yields the values that differ between two tables of the same rows."""
    for name in left.columns:
        x, y = left[name], right[name]
        if x.equals(y):
            continue
        for row in np.flatnonzero(~_equal(x, y, tolerance)):
            values = f"is {x.iloc[row]} in the first, {y.iloc[row]} in the second"
            yield f"{table}.{name}: {_shown(left.index[row])} {values}"


def _equal(x: pd.Series, y: pd.Series, tolerance: float) -> np.ndarray:
    missing = x.isna().to_numpy() & y.isna().to_numpy()
    if x.dtype.kind == "f" and y.dtype.kind in "fi":
        a, b = x.to_numpy(np.float64), y.to_numpy(np.float64)
        return missing | _near(a, b, tolerance, 1)
    return missing | (x.astype(object) == y.astype(object)).to_numpy()


def _vectors_changed(
    name: str, column: str, left: Any, right: Any, keys: pd.Index, tolerance: float
) -> Iterator[str]:
    a, b = (_numbers(lance_tables.read(table, [column])[column]) for table in (left, right))
    finite = a[np.isfinite(a)]
    size = np.sqrt(np.mean(np.square(finite))) if finite.size else 0.0
    same = _near(a, b, tolerance, size) | (np.isnan(a) & np.isnan(b))
    for row in np.flatnonzero(~same.all(axis=1)):
        with np.errstate(invalid="ignore"):
            most = np.abs(a[row] - b[row]).max()
        yield f"{name}.{column}: {_shown(keys[row])} differs by up to {most:.3g}"


def _near(a: np.ndarray, b: np.ndarray, tolerance: float, size: float) -> np.ndarray:
    """Returns where two numbers are equal within the tolerance; an infinite one only equals itself."""
    with np.errstate(invalid="ignore"):
        close = np.abs(a - b) <= tolerance * (size + np.maximum(np.abs(a), np.abs(b)))
    return (a == b) | (close & np.isfinite(a) & np.isfinite(b))


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    """Returns a column of vectors or numbers as [row, width] float32."""
    if pa.types.is_fixed_size_list(column.type):
        return values_of(column).astype(np.float32)
    return column.to_numpy().astype(np.float32)[:, None]


def _shown(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
