"""Finds vectors that are missing or hold a number that is not finite: no sum over them means anything."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from db import lance_tables
from db.arrays import values_of
from db.checks import KEYS, MAX_IDS_NAMED, shown_key
from db.layout import lance_table, sql_of
from db.vector_rows import rows_per_block


def value_problems(connection: duckdb.DuckDBPyConnection, directory: Path) -> list[str]:
    """Returns the rows of the Lance tables without a finite vector, one sentence each; reads all vectors.

    The tables were checked before: their names, columns and rows are as they must be.
    """
    sentences: list[str] = []
    for model_key, kind, _ in connection.execute(sql_of("vector_counts")).fetchall():
        name = lance_table(kind, model_key)
        problems = _table_problems(lance_tables.open_table(directory, name), kind)
        sentences += [f"vectors {name} {problem}" for problem in islice(problems, MAX_IDS_NAMED)]
        if more := sum(1 for _ in problems):
            sentences.append(f"vectors {name} have {more} more such places")
    return sentences


def _table_problems(table: Any, kind: str) -> Iterator[str]:
    columns = [field.name for field in table.schema if field.name not in KEYS[kind]]
    for rows in lance_tables.read_blocks(table, table.schema.names, rows_per_block(table, columns)):
        for column in columns:
            for place in np.flatnonzero(~_finite(rows[column])):
                key = tuple(rows[name][place].as_py() for name in KEYS[kind])
                yield f"lack a finite number in {column} of {shown_key(kind, key)}"


def _finite(column: pa.ChunkedArray) -> np.ndarray:
    """Returns which rows of a column, vectors or numbers, are there and finite."""
    present = pc.is_valid(column).to_numpy()
    finite = np.zeros(len(column), bool)
    if pa.types.is_fixed_size_list(column.type):
        finite[present] = np.isfinite(values_of(column.filter(present))).all(axis=1)
    else:
        finite[present] = np.isfinite(column.filter(present).to_numpy())
    return finite
