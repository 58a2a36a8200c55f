"""The queries behind the numbers of a page, with their parameters filled in."""

import re
from collections.abc import Sequence
from typing import Any

from dashboard.data.types import Source
from dashboard.state.views import Scope
from db import queries


def sql_behind(source: Source, *names: str, **parameters: Any) -> dict[str, str]:
    """The SQL of some queries with the parameters filled in, ready to be run by hand.

    Filters that a page leaves open are null.
    """
    # Pages show metrics by the labels that all models have.
    known = {"model_key": source.key, "labels": "offline", **parameters}
    return {
        f"db/sql/{name}.sql, with its parameters filled in": re.sub(
            r"\$(\w+)", lambda found: literal(known.get(found[1])), queries.sql_of(name)
        )
        for name in names
    }


def sql_behind_scope(source: Source, scope: Scope) -> dict[str, str]:
    """The query that found the heads, where one did."""
    named = scope.kind == "property"
    return sql_behind(source, "property_heads", property=scope.property) if named else {}


def literal(value: str | int | Sequence[str] | None) -> str:
    """A value as SQL writes it. To be read and copied: the queries of the pages take parameters."""
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"[{', '.join(literal(one) for one in value)}]"
