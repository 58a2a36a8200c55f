"""Checks the consistency of a bundle, for the writer before it publishes and for `verify`."""

from pathlib import Path

import duckdb

from db import lance_tables
from db.errors import StoreError
from db.layout import lance_table, sql_of

MAX_PROBLEMS_LISTED = 10
"""Maximum number of problems in a message; a broken stage makes every row wrong."""


def check_consistent(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Checks that tables and vectors are consistent.

    Raises:
        StoreError: lists the contradictions.
    """
    contradictions = problems(connection, directory)
    if contradictions:
        rest = len(contradictions) - MAX_PROBLEMS_LISTED
        more = f"\n  and {rest} more" if rest > 0 else ""
        lines = "".join(f"\n  {problem}" for problem in contradictions[:MAX_PROBLEMS_LISTED])
        raise StoreError(f"the bundle is not consistent, so it is not published:{lines}{more}")


def problems(connection: duckdb.DuckDBPyConnection, directory: Path) -> list[str]:
    """Returns contradictions among the tables, and between them and the Lance tables in `directory`."""
    contradictions = [problem for (problem,) in connection.execute(sql_of("problems")).fetchall()]
    expected = connection.execute(sql_of("vector_counts")).fetchall()
    present = set(lance_tables.table_names(directory))
    for model_key, kind, rows in expected:
        name = lance_table(kind, model_key)
        if name not in present:
            contradictions.append(f"there are no vectors {name}")
        elif (stored := lance_tables.open_table(directory, name).count_rows()) != rows:
            contradictions.append(f"vectors {name} have {stored} rows, but the tables speak of {rows}")
        elif kind == "classes":
            contradictions += _missing_classes(connection, directory, name)
    names = {lance_table(kind, model_key) for model_key, kind, _ in expected}
    return contradictions + [f"vectors {name} belong to no model" for name in sorted(present - names)]


def _missing_classes(connection: duckdb.DuckDBPyConnection, directory: Path, name: str) -> list[str]:
    """Returns class texts without vectors. The numbers of rows are equal, so no vector can be extra."""
    rows = lance_tables.read(lance_tables.open_table(directory, name), ["attribute", "value"]).to_pylist()
    stored = {(row["attribute"], row["value"]) for row in rows}
    texts = connection.execute(sql_of("class_texts")).fetchall()
    return [
        f'vectors {name} lack {attribute} "{value}", which class_text has'
        for attribute, value, *_ in texts
        if (attribute, value) not in stored
    ]
