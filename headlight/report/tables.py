"""Tables of the report: cells as text, columns in the words of the pages."""

from typing import Any, NamedTuple

import pandas as pd

from dashboard.data import column_words, digits


class Table(NamedTuple):
    """A table as it is drawn."""

    caption: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]


def table(caption: str, frame: pd.DataFrame) -> Table:
    """Returns a table in words, without columns that have no value."""
    shown = column_words.in_words(column_words.marked(frame.dropna(axis="columns", how="all")))
    numeric = [bool(pd.api.types.is_numeric_dtype(shown[name])) for name in shown]
    rows = [[words(value) for value in row] for row in shown.itertuples(index=False, name=None)]
    return Table(caption, [str(name) for name in shown], numeric, rows)


def words(value: Any) -> str:
    """Returns a cell as text: three digits of a number that is not whole, nothing for a missing value."""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if pd.isna(value):
        return ""
    if isinstance(value, float):
        return digits.number(value, ".0f" if value == int(value) and abs(value) < 1e6 else ".3g")
    return str(value)
