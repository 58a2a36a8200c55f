"""A query typed by a person: one statement that reads, cut off in time and length."""

from collections.abc import Mapping
from threading import Timer
from typing import Any, NamedTuple

import duckdb
import pandas as pd

from db.connection import Bundle, cursor, plain
from db.errors import QueryError

READS = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


class Answer(NamedTuple):
    """What a query gave."""

    rows: pd.DataFrame
    """At most as many rows as were asked for."""

    cut: bool
    """True where there were more."""


def ask(
    bundle: Bundle,
    sql: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    seconds: float = 10.0,
    rows: int = 10_000,
) -> Answer:
    """Run one select or explain, for at most `seconds`, and give at most `rows` of its rows.

    Raises:
        QueryError: it is not one reading statement, DuckDB refuses it, or it took too long.
    """
    _check_reads(sql)
    own = cursor(bundle)
    clock = Timer(seconds, own.interrupt)
    clock.daemon = True
    clock.start()
    try:
        own.execute(sql, dict(parameters or {}))
        found = _first(own, rows + 1)
    except duckdb.InterruptException as error:
        raise QueryError(f"the query was stopped after {seconds:g} seconds. Ask for less.") from error
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    finally:
        clock.cancel()
    return Answer(plain(found.head(rows), own.description), len(found) > rows)


def _check_reads(sql: str) -> None:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(str(error)) from error
    if len(statements) != 1:
        raise QueryError(f"{len(statements)} statements were given. Give exactly one.")
    kind = statements[0].type
    if kind not in READS:
        # A pivot, too, comes as several statements; its long form is a group by.
        raise QueryError(f"this is a statement of type {kind.name}. Only select and explain are allowed.")


def _first(own: duckdb.DuckDBPyConnection, rows: int) -> pd.DataFrame:
    """The first rows of a result, and no more of it than that in memory."""
    parts = [own.fetch_df_chunk()]
    while len(parts[-1]) and sum(map(len, parts)) < rows:
        parts.append(own.fetch_df_chunk())
    filled = [part for part in parts if len(part)] or parts[:1]
    return pd.concat(filled, ignore_index=True)
