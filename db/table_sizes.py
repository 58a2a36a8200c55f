"""Bounds what tables of a received bundle unpack to: equal values take a few bytes, however many they are."""

import sys

import duckdb

from db.layout import sql_of

MAX_TEXT = 2**20
"""Maximum size of one text of a table in bytes; a whole answer of a language model is at most as large."""

ROOM, RATIO = 2**26, 32
"""Files of n bytes may unpack to ROOM + RATIO * n bytes; ours unpack to 1 to 4 n."""


def max_unpacked(stored: int) -> int:
    """Returns the maximum size in memory of tables whose files have `stored` bytes, in bytes."""
    return ROOM + RATIO * stored


def size_problem(
    connection: duckdb.DuckDBPyConnection, database: str, stored: int = sys.maxsize
) -> str | None:
    """Returns what is too large in an attached database whose file has `stored` bytes, or None."""
    limit = max_unpacked(stored)
    counts = connection.execute(sql_of("row_counts"), {"database": database}).fetchall()
    for table, rows, columns in counts:  # as the file claims, so that nothing is unpacked
        if 8 * rows * columns > limit:
            return f"its table {table} claims {rows} rows"
    unpacked = sum(8 * rows * columns for _, rows, columns in counts)
    for table, longest, total in connection.execute(_lengths(connection, database)).fetchall():
        if longest > MAX_TEXT:
            return f"its table {table} has a text of {longest} bytes, more than {MAX_TEXT}"
        unpacked += total
    if unpacked > limit:
        return f"its tables unpack to {unpacked / 1e6:.0f} MB, from a file of {stored / 1e6:.0f} MB"
    return None


def _lengths(connection: duckdb.DuckDBPyConnection, database: str) -> str:
    """Returns SQL for the longest and all bytes of the texts and lists in every table that has any."""
    sizes: dict[str, list[str]] = {}
    columns = connection.execute(sql_of("long_columns"), {"database": database}).fetchall()
    for table, column, kind in columns:
        size = f'strlen("{column}")' if kind == "VARCHAR" else f'8 * len("{column}")'
        sizes.setdefault(table, []).append(size)
    return " union all ".join(
        f"select '{table}', coalesce(greatest({', '.join(f'max({size})' for size in of_table)}), 0), "
        f"coalesce(sum({' + '.join(f'coalesce({size}, 0)' for size in of_table)}), 0) "
        f'from "{database}"."{table}"'
        for table, of_table in sizes.items()
    )
