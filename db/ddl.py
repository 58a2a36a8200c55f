"""Creates a database file with the tables and views of schema.sql, and describes their columns and keys."""

import shutil
from pathlib import Path

import duckdb

from db.layout import SCHEMA, STORAGE_VERSION, sql_of
from db.plain_path import path_for_writing

BLOCK_SIZE = 16384
ROW_GROUP_SIZE = 2048
DATA_BYTES = 256 * 10**6
"""Bytes of memory for data while writing. Without a limit DuckDB keeps all data in memory, thumbnails too."""

INDEX_BYTES = 128
"""Bytes of memory a row for the index of its key, which DuckDB keeps in memory; 82 for image_attribute."""


def create(file: Path) -> duckdb.DuckDBPyConnection:
    """Returns a connection to a new file with all tables, empty, and the views."""
    connection = duckdb.connect()
    try:
        _attach(connection, path_for_writing(file))
        # One transaction, since each of the 150 comment statements would otherwise wait for the disk.
        connection.execute("begin")
        connection.execute(SCHEMA.read_text(encoding="utf-8"))
        connection.execute("commit")
    except BaseException:
        connection.close()  # the error refers to it: DuckDB would refuse to write the file again
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    file.unlink(missing_ok=True)
    quoted = str(file).replace("'", "''")
    # Many small tables: with blocks of 16 kB the file has 0.7 MB, with the default of 256 kB 11 MB.
    # With the default row group size, half a gigabyte of thumbnails stays in memory before it is written.
    groups = f"row_group_size {ROW_GROUP_SIZE}"
    options = f"storage_version '{STORAGE_VERSION}', block_size {BLOCK_SIZE}, {groups}"
    connection.execute(f"attach '{quoted}' as headlight ({options})")
    connection.execute("use headlight")
    limit_memory(connection, rows=0)
    connection.execute(f"set temp_directory = '{quoted}.spill'")


def limit_memory(connection: duckdb.DuckDBPyConnection, *, rows: int) -> None:
    """Limits the memory of a connection of `create` to what it takes to write so many rows."""
    connection.execute(f"set memory_limit = '{(DATA_BYTES + INDEX_BYTES * rows) // 10**6}MB'")


def close(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Writes all data into the file of `create`, removes temporary files, and closes the connection."""
    (spill,) = connection.execute("select current_setting('temp_directory')").fetchall()[0]
    connection.execute("checkpoint headlight")
    connection.execute("use memory")
    connection.execute("detach headlight")
    connection.close()
    shutil.rmtree(spill, ignore_errors=True)
    if not file.exists():
        shutil.move(path_for_writing(file), file)


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, bool]]:
    """Returns, for every table, its columns in order, with True for a column that may not be null."""
    tables: dict[str, dict[str, bool]] = {}
    for table, column, _, required, _, is_view in connection.execute(sql_of("table_columns")).fetchall():
        if not is_view:
            tables.setdefault(table, {})[column] = required
    return tables


def types(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """Returns, for every table, the DuckDB type of each column, in order."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind, _, _, is_view in connection.execute(sql_of("table_columns")).fetchall():
        if not is_view:
            tables.setdefault(table, {})[column] = kind
    return tables


def keys(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Returns, for every table, the columns of its key in order; in some tables a part may be null."""
    return dict(connection.execute(sql_of("keys")).fetchall())
