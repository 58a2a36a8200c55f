"""Writes tables and views of a bundle as files of Parquet or CSV, which need neither Headlight nor DuckDB."""

import base64
import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from db.atomic_file import atomic_file
from db.connection import Bundle, check_current, cursor
from db.errors import BundleExists, UnknownName
from db.layout import sql_of
from db.locked_database import damage_named
from db.spreadsheet import harmless
from db.table_sizes import max_unpacked

BATCH = 4096
"""Rows that are in memory at a time; a thumbnail takes about 5 kB."""

RECEIVED_BATCH = 256
"""Rows of a received Parquet file in memory at a time: equal texts of 1 MiB take a few bytes in it."""

PARQUET, CSV = "parquet", "csv"


def table_names(bundle: Bundle) -> list[str]:
    """Returns the names of all tables, then of all views."""
    return [name for name, _ in cursor(bundle).execute(sql_of("table_comments")).fetchall()]


def export_tables(
    bundle: Bundle, out: Path, *, kind: str = PARQUET, names: Sequence[str] = ()
) -> list[tuple[Path, int]]:
    """Writes the named tables and views, or all of them, into the folder `out`; returns files and rows.

    Raises:
        UnknownName: the bundle has no such table.
        BundleExists: one of the files is there already, or `out` lies in the bundle.
        BundleDamaged: the tables cannot be read.
    """
    every = table_names(bundle)
    if unknown := [name for name in names if name not in every]:
        raise UnknownName(f'there is no table "{unknown[0]}". Tables and views: {", ".join(every)}.')
    if out.resolve().is_relative_to(bundle.path.resolve()):
        raise BundleExists(f"{out} lies in the bundle itself. Give another folder.")
    files = {name: out / f"{name}.{kind}" for name in names or every}
    if there := [file for file in files.values() if file.exists()]:
        raise BundleExists(f"{there[0]} is there already. Remove it, or give another folder.")
    out.mkdir(parents=True, exist_ok=True)
    write = WRITERS[kind]
    counts = []
    for name, file in files.items():
        with atomic_file(file) as temporary:
            counts.append((file, write(bundle, name, temporary)))
    check_current(bundle)
    return counts


def write_parquet(bundle: Bundle, name: str, file: Path | IO[bytes]) -> int:
    """Writes a table or view to one Parquet file; returns its number of rows."""
    count = 0
    with _rows(bundle, name) as rows, pq.ParquetWriter(file, rows.schema, compression="zstd") as writer:
        for batch in rows:
            writer.write_batch(batch)
            count += batch.num_rows
    return count


def write_csv(bundle: Bundle, name: str, file: Path) -> int:
    """Writes a table or view to one CSV file; returns its number of rows.

    A missing value is empty, a list is JSON, a picture is base64. A text that a spreadsheet would run as a
    formula has an apostrophe before it.
    """
    count = 0
    with _rows(bundle, name) as rows, file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\r\n")
        writer.writerow(rows.schema.names)
        for batch in rows:
            columns = [map(_cell, column.to_pylist()) for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))
            count += batch.num_rows
    return count


WRITERS: dict[str, Callable[[Bundle, str, Path], int]] = {PARQUET: write_parquet, CSV: write_csv}


def is_table(bundle: Bundle, name: str, file: Path | io.BytesIO) -> bool:
    """Returns True if a Parquet file holds the rows of a table or view, in the order of `write_parquet`."""
    try:
        with _rows(bundle, name) as rows, pq.ParquetFile(file) as copy:
            groups = [copy.metadata.row_group(i) for i in range(copy.metadata.num_row_groups)]
            unpacked = sum(group.total_byte_size for group in groups)
            if unpacked > max_unpacked(_size(file)) or copy.schema_arrow != rows.schema:
                return False
            return _equal(iter(rows), copy.iter_batches(batch_size=RECEIVED_BATCH))
    except (OSError, pa.ArrowException):
        return False


def _size(file: Path | io.BytesIO) -> int:
    return file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes


def _equal(left: Iterator[pa.RecordBatch], right: Iterator[pa.RecordBatch]) -> bool:
    """Returns True if two streams have the same rows, in batches of any size."""
    a, b = _next(left), _next(right)
    while a is not None and b is not None:
        count = min(a.num_rows, b.num_rows)
        if not a.slice(0, count).equals(b.slice(0, count)):
            return False
        a = a.slice(count) if a.num_rows > count else _next(left)
        b = b.slice(count) if b.num_rows > count else _next(right)
    return a is None and b is None


def _next(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    """Returns the next batch that has rows."""
    return next((batch for batch in batches if batch.num_rows), None)


@contextmanager
def _rows(bundle: Bundle, name: str) -> Iterator[pa.RecordBatchReader]:
    """Yields the rows of a table as they were written, by key, or of a view, sorted by all columns."""
    connection = cursor(bundle)
    tables = {table for table, *_ in connection.execute(sql_of("keys")).fetchall()}
    order = "" if name in tables else " order by all"
    with damage_named(bundle.path):
        yield _reader(connection, f'select * from "{name}"{order}')


def _reader(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.RecordBatchReader:
    return connection.sql(sql).to_arrow_reader(BATCH)


def _cell(value: Any) -> Any:
    """Returns a value as CSV holds it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return json.dumps(value)
    return harmless(value)
