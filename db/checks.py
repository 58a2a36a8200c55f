"""Checks the consistency of a bundle, for the writer before it publishes and for `verify`."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from db import lance_tables
from db.errors import StoreError
from db.layout import head_name, lance_table, sql_of
from db.table_sizes import max_unpacked, size_problem
from db.vector_columns import VectorShape, row_bytes, vector_columns

MAX_PROBLEMS_LISTED = 20
"""Maximum number of problems in a message; a broken stage makes every row wrong."""

MAX_CONTRADICTIONS = 100
"""Maximum number of contradictions between the tables that are read; a stranger's may have millions."""

MAX_IDS_NAMED = 3
"""Maximum number of ids named for one table and one kind of problem."""

MAX_KEY_SHOWN = 100
"""Maximum number of characters of a part of a key in a message."""

KEYS = {
    "images": ["image_id"],
    "texts": ["text_id"],
    "heads": ["layer", "head"],
    "tokens": ["image_id"],
    "classes": ["attribute", "value"],
}
"""Key columns of each Lance table."""

_IDS = {
    "images": ("select image_id from image", "image"),
    "texts": ("select text_id from text", "text"),
    "heads": ("select layer, head from head where model_key = $model_key", "head"),
    "tokens": ("select image_id from image", "image"),
    "classes": ("select attribute, value from class_text", "class_text"),
}
"""Query for the keys that rows of a Lance table may have, and the name of the DuckDB table."""


class Expected(NamedTuple):
    """Rows and shapes that all Lance tables must have, from the DuckDB tables."""

    rows: dict[tuple[str, str], int]
    """By model and kind."""

    shapes: dict[str, VectorShape]
    """By model."""


def check_consistent(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Checks that tables and vectors are consistent.

    Raises:
        StoreError: lists the contradictions.
    """
    contradictions = problems(connection, directory)
    if too_large := size_problem(connection, "headlight"):
        contradictions.insert(0, too_large)
    if contradictions:
        rest = len(contradictions) - MAX_PROBLEMS_LISTED
        more = f"\n  and {rest} more" if rest > 0 else ""
        lines = "".join(f"\n  {problem}" for problem in contradictions[:MAX_PROBLEMS_LISTED])
        raise StoreError(f"the bundle is not consistent, so it is not published:{lines}{more}")


def problems(connection: duckdb.DuckDBPyConnection, directory: Path) -> list[str]:
    """Returns contradictions among the tables, and between them and the Lance tables in `directory`.

    Reads the ids of the vectors, but not the vectors.
    """
    rows = connection.execute(sql_of("problems"), {"max_problems": MAX_CONTRADICTIONS}).fetchall()
    contradictions = [problem for problem, _ in rows]
    if rows and (more := rows[0][1] - len(rows)):
        contradictions.append(f"the tables have {more} more contradictions")
    expected = _expected(connection)
    present = set(lance_tables.table_names(directory))
    for model_key, kind in expected.rows:
        if lance_table(kind, model_key) in present:
            table = lance_tables.open_table(directory, lance_table(kind, model_key))
            contradictions += table_problems(connection, table, kind, model_key, directory, expected)
    names = {lance_table(kind, model_key) for model_key, kind in expected.rows}
    contradictions += [f"there are no vectors {name}" for name in sorted(names - present)]
    return contradictions + [f"vectors {name} belong to no model" for name in sorted(present - names)]


def number_problems(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Yields the columns of the tables with an infinite number or NaN; a number that is not known is null."""
    columns = dict(connection.execute(sql_of("number_columns")).fetchall())
    counts = " union all ".join(
        f"select '{table}', [{', '.join(f'count_if(not isfinite({name}))' for name in names)}] from {table}"
        for table, names in columns.items()
    )
    for table, of_table in connection.execute(counts).fetchall():
        for name, count in zip(columns[table], of_table, strict=True):
            if count:
                yield f"{table} has numbers that are not finite in {name}: {count}"


def table_problems(
    connection: duckdb.DuckDBPyConnection,
    table: Any,
    kind: str,
    model_key: str,
    directory: Path,
    expected: Expected | None = None,
) -> list[str]:
    """Returns the differences of a Lance table from what the DuckDB tables say: name, columns, rows, ids.

    A table that would take more memory than its files in `directory` can hold is one too. What the tables say
    is read, unless it is given.
    """
    all_rows, shapes = expected or _expected(connection)
    name, rows, count = lance_table(kind, model_key), all_rows[model_key, kind], table.count_rows()
    found = [*_column_problems(table, name, vector_columns(kind, shapes[model_key]))]
    if count != rows:
        found.append(f"have {count} rows, but the tables speak of {rows}")
    elif too_large := _size_problem(table, count, directory / f"{name}.lance"):
        found.append(too_large)
    elif set(KEYS[kind]) <= set(table.schema.names):
        ids, source = _IDS[kind]
        allowed = connection.execute(ids, {"model_key": model_key} if kind == "heads" else {}).fetchall()
        found += _id_problems(table, kind, allowed, source)
    return [f"vectors {name} {problem}" for problem in found]


def _expected(connection: duckdb.DuckDBPyConnection) -> Expected:
    rows = connection.execute(sql_of("vector_counts")).fetchall()
    return Expected({(model_key, kind): count for model_key, kind, count in rows}, _shapes(connection))


def _shapes(connection: duckdb.DuckDBPyConnection) -> dict[str, VectorShape]:
    """Returns the shape of the vectors of each model, by its key."""
    rows = connection.execute(sql_of("vector_models")).fetchall()
    return {
        model_key: VectorShape(
            [(layer, head) for layer, head in heads or []], rank or 0, d_out or 0, tokens or 0
        )
        for model_key, rank, d_out, tokens, heads in rows
    }


def _column_problems(table: Any, name: str, columns: dict[str, pa.DataType]) -> Iterator[str]:
    if (written := lance_tables.written_name(table)) != name:
        yield f"were written as {written or 'a table of another program'}"
    stored = {field.name: field.type for field in table.schema}
    for column, kind in columns.items():
        if column not in stored:
            yield f"lack the column {column}"
        elif stored[column] != kind:
            yield f"have {stored[column]} in the column {column}, but need {kind}"
    extra = [column for column in stored if column not in columns]
    yield from (f"have the column {column}, which is none of theirs" for column in extra)


def _size_problem(table: Any, rows: int, folder: Path) -> str | None:
    stored = sum(file.stat().st_size for file in folder.rglob("*"))
    unpacked = rows * row_bytes(table.schema.types)
    if unpacked <= max_unpacked(stored):
        return None
    return f"unpack to {unpacked / 1e6:.0f} MB, from {stored / 1e6:.0f} MB of files"


def _id_problems(table: Any, kind: str, allowed: Sequence[tuple[Any, ...]], source: str) -> Iterator[str]:
    columns = lance_tables.read(table, KEYS[kind])
    stored = list(zip(*(columns[name].to_pylist() for name in KEYS[kind]), strict=True))
    if any(None in key for key in stored):
        yield f"have a row without its {' or '.join(KEYS[kind])}"
        return
    unique, known = set(stored), set(allowed)
    yield from _named(f"name {{}}, which {source} lacks", kind, unique - known)
    if kind not in ("images", "tokens"):  # a model may have decomposed some of the images only
        yield from _named(f"lack {{}}, which {source} has", kind, known - unique)
    if len(unique) < len(stored):
        yield from _named(
            "name {} twice", kind, {key for key, after in pairwise(sorted(stored)) if key == after}
        )
    elif stored != sorted(stored):
        yield "are not sorted by id"


def _named(sentence: str, kind: str, keys: set[tuple[Any, ...]]) -> Iterator[str]:
    shown = sorted(keys, key=str)
    for key in shown[:MAX_IDS_NAMED]:
        yield sentence.format(shown_key(kind, key))
    if len(shown) > MAX_IDS_NAMED:
        yield sentence.format(f"{len(shown) - MAX_IDS_NAMED} more")


def shown_key(kind: str, key: tuple[Any, ...]) -> str:
    """Returns the key of a row of a Lance table of one kind, as a message names it."""
    if kind == "heads":
        return head_name(*key)
    parts = [str(part)[:MAX_KEY_SHOWN] for part in key]  # a stranger's may be of any length
    return f'{parts[0]} "{parts[1]}"' if kind == "classes" else parts[0]
