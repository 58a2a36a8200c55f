"""Runs a user's query: one reading statement, limited in time and number of rows."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from db.connection import Bundle, bounded, cursor, plain
from db.errors import QueryError
from db.locked_database import time_limit

READS = (duckdb.StatementType.SELECT,)
EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)


class Answer(NamedTuple):
    """Result of a query."""

    rows: pd.DataFrame
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
    _check_reads(sql)
    connection = cursor(bundle)
    try:
        with time_limit(connection, seconds):
            connection.execute(sql, dict(parameters or {}))
            result = _first(connection, rows + 1)
    except duckdb.InterruptException as error:
        raise QueryError(f"the query was stopped after {seconds:g} seconds. Ask for less.") from error
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    return Answer(plain(result.head(rows), connection.description), len(result) > rows)


def _check_reads(sql: str) -> None:
    kind = _statement_type(sql)
    if kind == duckdb.StatementType.EXPLAIN:
        # "explain analyze" runs its statement, which may be one that writes.
        kind = _statement_type(EXPLAIN.sub("", sql, count=1))
    if kind not in READS:
        # A pivot is several statements too; users can write it as a group by.
        raise QueryError(f"this is a statement of type {kind.name}. Only select and explain are allowed.")


def _statement_type(sql: str) -> duckdb.StatementType:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    if len(statements) != 1:
        raise QueryError(f"{len(statements)} statements were given. Give exactly one.")
    return statements[0].type


def _first(connection: duckdb.DuckDBPyConnection, rows: int) -> pd.DataFrame:
    """Returns the first rows of a result, without loading the rest into memory."""
    parts = [connection.fetch_df_chunk()]
    while len(parts[-1]) and sum(map(len, parts)) < rows:
        parts.append(connection.fetch_df_chunk())
    return bounded(pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True))
