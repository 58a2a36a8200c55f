"""The queries behind the numbers of a page, as they ran, with their parameters filled in."""

import re
from collections.abc import Iterable, Sequence

from db.queries import Ran, recorded, sql_of

__all__ = ["recorded"]


def sql_behind(ran: Iterable[Ran]) -> list[tuple[str, str]]:
    """A title and the SQL, ready to be run by hand, of every query that returned rows, each once."""
    queries = [
        (f"db/sql/{query.name}.sql, with its parameters filled in", filled_in(query))
        for query in ran
        if query.rows
    ]
    return list(dict.fromkeys(queries))


def filled_in(query: Ran) -> str:
    """The SQL of a query with its parameters as literals."""
    return re.sub(r"\$(\w+)", lambda name: literal(query.parameters[name[1]]), sql_of(query.name))


def literal(value: str | int | Sequence[str] | None) -> str:
    """A value as SQL writes it. To be read and copied: the queries of the pages take parameters."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"[{', '.join(literal(one) for one in value)}]"
