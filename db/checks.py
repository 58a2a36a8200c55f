"""Do the parts of a bundle fit each other? Asked by the writer before it publishes, and by verify."""

from pathlib import Path

import duckdb

from db import lance_tables
from db.errors import StoreError
from db.layout import lance_table, sql_of

SHOWN = 10
"""A broken stage breaks every row: the first few say enough."""


def check_consistent(connection: duckdb.DuckDBPyConnection, directory: Path) -> None:
    """Refuse tables and vectors that contradict each other.

    Raises:
        StoreError: names each contradiction.
    """
    found = problems(connection, directory)
    if found:
        more = f"\n  and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        lines = "".join(f"\n  {problem}" for problem in found[:SHOWN])
        raise StoreError(f"the bundle is not consistent, so it is not published:{lines}{more}")


def problems(connection: duckdb.DuckDBPyConnection, directory: Path) -> list[str]:
    """Contradictions among the tables, and between them and the Lance tables in `directory`."""
    found = [problem for (problem,) in connection.execute(sql_of("problems")).fetchall()]
    expected = connection.execute(sql_of("vector_counts")).fetchall()
    present = set(lance_tables.table_names(directory))
    for model_key, kind, rows in expected:
        name = lance_table(kind, model_key)
        if name not in present:
            found.append(f"there are no vectors {name}")
        elif (stored := lance_tables.open_table(directory, name).count_rows()) != rows:
            found.append(f"vectors {name} have {stored} rows, but the tables speak of {rows}")
        elif kind == "classes":
            found += _misnamed(connection, directory, name)
    known = {lance_table(kind, model_key) for model_key, kind, _ in expected}
    return found + [f"vectors {name} belong to no model" for name in sorted(present - known)]


def _misnamed(connection: duckdb.DuckDBPyConnection, directory: Path, name: str) -> list[str]:
    """Class texts that the vectors `name` lack; of as many rows, so none can be too many."""
    rows = lance_tables.read(lance_tables.open_table(directory, name), ["attribute", "value"]).to_pylist()
    stored = {(row["attribute"], row["value"]) for row in rows}
    texts = connection.execute(sql_of("class_texts")).fetchall()
    return [
        f'vectors {name} lack {attribute} "{value}", which class_text has'
        for attribute, value, *_ in texts
        if (attribute, value) not in stored
    ]
