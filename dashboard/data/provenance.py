"""SQL of the queries behind the numbers of a page, with its parameters."""

import re
from collections.abc import Iterable, Sequence

from db.queries import Ran, recorded, sql_of

__all__ = ["recorded"]


def sql_behind(queries: Iterable[Ran]) -> list[tuple[str, str]]:
    """Returns title and SQL, ready to run, of every query with rows, without duplicates."""
    title = "db/sql/{}.sql, with its parameters filled in"
    return list(
        dict.fromkeys((title.format(query.name), filled_in(query)) for query in queries if query.rows)
    )


def filled_in(query: Ran) -> str:
    """Returns the SQL of a query with its parameters as literals."""
    return re.sub(r"\$(\w+)", lambda name: literal(query.parameters[name[1]]), sql_of(query.name))


def literal(value: str | int | Sequence[str] | None) -> str:
    """Returns a value as an SQL literal, for display; pages run queries with parameters."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"[{', '.join(literal(item) for item in value)}]"
