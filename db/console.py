"""Runs a user's query: one reading statement, limited in time and number of rows.

`ask` runs it in this process; `db.console_process` in a process of its own, for queries of people whom nobody
knows. Both read a statement by `reading`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from db.connection import Bundle, bounded, cursor, plain
from db.errors import QueryError
from db.locked_database import time_limit

if TYPE_CHECKING:
    import pandas as pd  # importing it takes longer than most queries

READS = (duckdb.StatementType.SELECT,)
EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)


class Answer(NamedTuple):
    """Result of a query."""

    rows: "pd.DataFrame"
    """First rows, up to the limit."""

    cut: bool
    """True if there were more rows."""


def ask(
    bundle: Bundle,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    seconds: float = 10.0,
    rows: int = 10_000,
) -> Answer:
    """Runs one select or explain for at most `seconds`; returns at most `rows` rows.

    Raises:
        QueryError: the query is not one reading statement, DuckDB refuses it, or it took too long.
    """
    with reading(cursor(bundle), sql, parameters or {}, seconds) as connection:
        result = _first(connection, rows + 1)
    return Answer(plain(result.head(rows), connection.description), len(result) > rows)


@contextmanager
def reading(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any], seconds: float
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yields the connection after it executed one reading statement; the block fetches its rows.

    Raises:
        QueryError: as `ask`.
    """
    _check_reads(sql)
    try:
        with time_limit(connection, seconds):
            connection.execute(sql, dict(parameters))
            yield connection
    except duckdb.InterruptException as error:
        raise too_long(seconds) from error
    except duckdb.OutOfMemoryException as error:  # DuckDB's advice is for its owner
        raise too_much() from error
    except duckdb.Error as error:
        if "pytz" in str(error):  # a library that nothing else here needs
            raise QueryError(
                "a time with a zone cannot be shown. Cast it, as in now()::timestamp."
            ) from error
        raise QueryError(str(error)) from error


def too_long(seconds: float) -> QueryError:
    """Returns the error of a query that took longer than `seconds`."""
    return QueryError(f"the query was stopped after {seconds:g} seconds. Ask for less.")


def too_much() -> QueryError:
    """Returns the error of a query that needs more memory than it may use."""
    return QueryError("the query needs more memory than it may use. Ask for less.")


def _check_reads(sql: str) -> None:
    kind = _statement_type(sql)
    if kind == duckdb.StatementType.EXPLAIN:
        # "explain analyze" runs its statement, which may be one that writes.
        kind = _statement_type(EXPLAIN.sub("", sql, count=1))
    if kind not in READS:
        # A pivot is several statements too; users can write it as a group by.
        name = kind.name if kind else "another"
        raise QueryError(f"this is a statement of type {name}. Only select and explain are allowed.")


def _statement_type(sql: str) -> duckdb.StatementType | None:
    """Returns the type of the only statement; None for a type that DuckDB's Python does not name."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    if len(statements) != 1:
        raise QueryError(f"{len(statements)} statements were given. Give exactly one.")
    try:
        return statements[0].type
    except ValueError:
        return None


def _first(connection: duckdb.DuckDBPyConnection, rows: int) -> "pd.DataFrame":
    """Returns the first rows of a result, without loading the rest into memory."""
    import pandas as pd

    parts = [connection.fetch_df_chunk()]
    while len(parts[-1]) and sum(map(len, parts)) < rows:
        parts.append(connection.fetch_df_chunk())
    return bounded(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True))
