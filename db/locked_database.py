"""Attaches a database that may come from a stranger: locked first, and only with what schema.sql defines.

Whatever DuckDB runs for a view, a macro or a default of a received file would be the stranger's program. A
view is accepted if its SQL is ours, as DuckDB prints it from what the file stores.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb

from db.errors import BundleDamaged
from db.layout import DATABASE, FORMAT, SCHEMA, sql_of
from db.table_sizes import size_problem

MAX_SECONDS = 300.0
"""Time limit of every query, in seconds; a page's own queries take milliseconds."""

LOCKED = (
    "memory_limit = '2GB'",  # a query typed by a person must not take the machine down
    "temp_directory = ''",  # nor fill the disk
    f"max_execution_time = {1000 * MAX_SECONDS:.0f}",  # for queries without `time_limit`; milliseconds
    "python_enable_replacements = false",  # nor read variables of this process as if they were tables
    "autoinstall_known_extensions = false",  # nor fetch and run programs
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    "allow_persistent_secrets = false",  # nor use keys that the user stored for other databases
    "enable_external_access = false",  # nor read or write files
    "lock_configuration = true",  # last: it forbids changing any of these
)

_PRINT = "select json_deserialize_sql(json_serialize_sql($sql::varchar))"
_COMMENT = re.compile(r"^comment on .*;$", re.MULTILINE)


def attach(database: Path, given: Path, settings: Sequence[str] = ()) -> duckdb.DuckDBPyConnection:
    """Returns a connection with the file attached as `headlight`, read-only; messages name the path `given`.

    `settings` are further limits, applied before all are locked.

    Raises:
        BundleDamaged: the file cannot be read, or holds anything but our tables.
    """
    if (log := Path(f"{database}.wal")).exists():
        raise BundleDamaged(
            f"{log.name} of {given} shows that another program wrote into it. Copy or build it again."
        )
    # Attached to an empty database of its own: `duckdb.connect(file)` answers from a database that is
    # still open under the same path, even after the file there was replaced.
    connection = duckdb.connect()
    try:
        with time_limit(connection):
            _lock(connection, database, settings)
            connection.execute(f"attach {_quoted(str(database))} as headlight (read_only)")
            problem = content_problem(connection, "headlight", database.stat().st_size)
            found = None if problem else connection.execute("select format from headlight.bundle").fetchall()
    except (duckdb.Error, UnicodeError) as error:
        connection.close()
        raise BundleDamaged(
            f"{DATABASE} of {given} cannot be read ({error}). Copy or build it again."
        ) from error
    if found != [(FORMAT,)]:
        connection.close()
        reason = problem or f"its table bundle does not say format {FORMAT}, as the manifest does"
        raise BundleDamaged(f"{DATABASE} of {given} is not of this bundle: {reason}. Copy or build it again.")
    return connection


def content_problem(connection: duckdb.DuckDBPyConnection, database: str, size: int) -> str | None:
    """Returns why an attached file of `size` bytes may not be queried, or None."""
    return catalog_problem(connection, database) or size_problem(connection, database, size)


def catalog_problem(connection: duckdb.DuckDBPyConnection, database: str) -> str | None:
    """Returns the first difference of an attached file from schema.sql, or None.

    Reads names and definitions only, so that nothing in the file runs.
    """
    found = dict(connection.execute(sql_of("catalog"), {"database": database}).fetchall())
    ours = _our_catalog()
    for name in [*found, *ours]:
        if name not in ours:
            return f"it holds the {name}, which is none of ours"
        if name not in found:
            return f"it lacks the {name}"
        if found[name] != ours[name] and _canonical(found[name]) != _canonical(ours[name]):
            what = "another query" if name.startswith("view ") else "other columns or keys"
            return f"its {name} has {what} than ours"
    return None


def records_of(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Returns the rows of a result as values by column."""
    names = [name for name, *_ in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@contextmanager
def time_limit(connection: duckdb.DuckDBPyConnection, seconds: float = MAX_SECONDS) -> Iterator[None]:
    """Interrupts what `connection` does after `seconds`; DuckDB's own limit excludes fetching the rows."""
    clock = Timer(seconds, connection.interrupt)
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()
        clock.join()  # it knows the connection: a program that ended now would print pages of leaks


@contextmanager
def damage_named(given: Path) -> Iterator[None]:
    """Turns DuckDB's errors into BundleDamaged: a damaged page of the file is found when it is read."""
    try:
        yield
    except duckdb.Error as error:
        raise BundleDamaged(
            f"{DATABASE} of {given} cannot be read ({error}). Copy or build it again."
        ) from error


def _lock(connection: duckdb.DuckDBPyConnection, database: Path, settings: Sequence[str]) -> None:
    """Applies all limits, which leave the database itself as the only file that can be opened."""
    files = {str(database), os.path.realpath(database)}  # DuckDB follows links before it compares
    logs = {f"{file}.wal" for file in files} | {file.replace("?", ".wal?", 1) for file in files}
    sendable = [path for path in sorted(files | logs) if os.fsencode(path) == path.encode(errors="replace")]
    paths = ", ".join(map(_quoted, sendable))
    connection.execute(f"set allowed_paths = [{paths}]")
    *limits, lock = LOCKED
    for setting in [*limits, *settings, lock]:
        connection.execute(f"set {setting}")


@cache
def _our_catalog() -> dict[str, str]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as headlight; use headlight; begin")
        # Without the comments, which take longer than the tables.
        connection.execute(_COMMENT.sub("", SCHEMA.read_text(encoding="utf-8")))
        return dict(connection.execute(sql_of("catalog"), {"database": "headlight"}).fetchall())


@lru_cache(maxsize=32)
def _canonical(definition: str) -> str:
    """Returns the definition of a view as DuckDB prints it anew; any other text unchanged.

    DuckDB prints a view of a file with fewer brackets than the same view in memory. Nothing of it is run.
    """
    head, middle, sql = definition.partition(" AS ")
    if not head.startswith("CREATE VIEW "):
        return definition
    with duckdb.connect() as connection, suppress(duckdb.Error):
        values = {"sql": sql.removesuffix(";")}
        ((printed,),) = connection.execute(_PRINT, values).fetchall()
        return f"{head}{middle}{printed}"
    return definition


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
