"""The tables of schema.sql in a new file, and what they consist of."""

import shutil
from pathlib import Path

import duckdb

from db.layout import SCHEMA, STORAGE_VERSION, sql_of

BLOCK_SIZE = 16384
ROW_GROUP_SIZE = 2048
MEMORY_LIMIT = "256MB"
"""Of DuckDB while it writes: it would keep all it has written, thumbnails too, as long as there is room."""


def create(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a new file that holds all tables, empty."""
    connection = duckdb.connect()
    quoted = str(file).replace("'", "''")
    # Many small tables: blocks of 16 kB make a file of 0.7 MB where the usual 256 kB make one of 11 MB.
    # Thumbnails fill a row group of the usual size with half a gigabyte before it leaves memory.
    groups = f"row_group_size {ROW_GROUP_SIZE}"
    options = f"storage_version '{STORAGE_VERSION}', block_size {BLOCK_SIZE}, {groups}"
    connection.execute(f"attach '{quoted}' as headlight ({options})")
    connection.execute("use headlight")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"set temp_directory = '{quoted}.spill'")
    # One transaction: the comments alone are 150 statements, each of which would wait for the disk.
    connection.execute("begin")
    connection.execute(SCHEMA.read_text(encoding="utf-8"))
    connection.execute("commit")
    return connection


def close(connection: duckdb.DuckDBPyConnection) -> None:
    """Write everything into the file, so that nothing stays beside it, and let go of it."""
    (spill,) = connection.execute("select current_setting('temp_directory')").fetchall()[0]
    connection.execute("checkpoint headlight")
    connection.execute("use memory")
    connection.execute("detach headlight")
    connection.close()
    shutil.rmtree(spill, ignore_errors=True)


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, bool]]:
    """For every table its columns in order, and whether a value is required."""
    found: dict[str, dict[str, bool]] = {}
    for table, column, _, required, _ in connection.execute(sql_of("table_columns")).fetchall():
        found.setdefault(table, {})[column] = required
    return found


def keys(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """For every table the columns of its key, in order; in some tables a part of it may be null."""
    return dict(connection.execute(sql_of("keys")).fetchall())
