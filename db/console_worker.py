"""The process of one query of `db.console_process`: reads it from standard input, writes the answer, ends.

The answer is lines of JSON: `{"columns": ..., "cut": ...}` or `{"error": ...}`, then a list a row. Whatever a
query makes DuckDB do, it does it here, and the kernel holds the limits below.
"""

import base64
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from db.console import reading, too_much
from db.errors import QueryError, StoreError
from db.locked_database import attach

SETTINGS = ("threads = 1", "memory_limit = '512MB'")
MAX_DATA = 3 * 2**29
"""Maximum size of the process's memory in bytes: some functions of DuckDB do not count what they take."""

START = 3
"""Seconds of the processor beyond those of the query."""

BATCH = 256
"""Number of rows that are fetched at a time."""

INTEGERS = {f"{sign}{size}INT" for sign in ("", "U") for size in ("TINY", "SMALL", "BIG")}
SENT: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **dict.fromkeys((*INTEGERS, "INTEGER", "UINTEGER"), ("number", int)),
    **dict.fromkeys(("FLOAT", "DOUBLE", "HUGEINT", "UHUGEINT", "DECIMAL"), ("number", float)),
    "BOOLEAN": ("boolean", bool),
    "BLOB": ("blob", lambda value: base64.b64encode(value).decode()),
}
"""How values are sent, by type of their column: the kind of the column, and the value in JSON. Values of all
other types are sent as text.
"""


def main() -> None:
    """Answers the query on standard input."""
    request = json.load(sys.stdin)
    limit_process(request["seconds"])
    try:
        connection = attach(Path(request["database"]), Path(request["bundle"]), SETTINGS)
        connection.execute("use headlight")
        if hasattr(os, "nice"):
            os.nice(5)  # the pages of others come first
        lines = answer(connection, request)
    except (StoreError, MemoryError) as error:
        problem = too_much() if isinstance(error, MemoryError) else error
        lines = [json.dumps({"error": str(problem)})]
    sys.stdout.write("\n".join(lines))


def limit_process(seconds: float) -> None:
    """Sets limits that nothing in the process can raise: no byte in a file, memory, time of the processor."""
    try:
        import resource
    except ImportError:  # Windows has the limits of DuckDB alone
        return
    limits = {
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_DATA: MAX_DATA,
        resource.RLIMIT_CPU: int(seconds) + START,  # also ends what is never interrupted
    }
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))


def answer(connection: duckdb.DuckDBPyConnection, request: dict[str, Any]) -> list[str]:
    """Returns the lines of the answer, with at most `request["rows"]` rows of `request["bytes"]` in all."""
    parameters = used(request["sql"], request["parameters"])
    with reading(connection, request["sql"], parameters, request["seconds"]) as result:
        columns = [(name, *sent_as(kind)) for name, kind, *_ in result.description or []]
        lines: list[str] = []
        size, cut = 0, False
        while not cut and (batch := result.fetchmany(BATCH)):
            for row in batch:
                line = row_line(row, [convert for *_, convert in columns])
                size += len(line)
                if cut := size > request["bytes"] or len(lines) == request["rows"]:
                    break
                lines.append(line)
    if cut and not lines:
        raise QueryError(f"one row takes more than {request['bytes'] / 2**20:.0f} MiB. Ask for less.")
    return [json.dumps({"columns": [(name, kind) for name, kind, _ in columns], "cut": cut}), *lines]


def sent_as(kind: object) -> tuple[str, Callable[[Any], Any]]:
    """Returns the kind of a column of a DuckDB type, and the function that prepares its values."""
    return SENT.get(str(kind).partition("(")[0], ("text", str))


def row_line(row: tuple[Any, ...], conversions: list[Callable[[Any], Any]]) -> str:
    """Returns a row as JSON; a missing value is null."""
    pairs = zip(row, conversions, strict=True)
    return json.dumps([None if value is None else convert(value) for value, convert in pairs])


def used(sql: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters that the query names: DuckDB refuses others."""
    try:
        names = {name for statement in duckdb.extract_statements(sql) for name in statement.named_parameters}
    except duckdb.Error:
        return {}  # `reading` says why
    return {name: value for name, value in parameters.items() if name in names}


if __name__ == "__main__":
    main()
