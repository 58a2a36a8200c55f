"""Tables for people: Markdown for pages, or aligned columns for a terminal."""

import re
from collections.abc import Iterable, Sequence
from numbers import Real

import pandas as pd

from db.errors import printable

_MARK = re.compile(r"[\\`*\[\]<>&$|~]|(?<!\w)_|_(?!\w)|:(?=//|\S+:)|(?<=www)\.|(?<=\w)@", re.IGNORECASE)
"""What Markdown, GitHub's too, reads in a line of text as something else; not the `_` within a word."""


def text_table(
    columns: Sequence[object], rows: Iterable[Sequence[object]], *, aligned: bool = False, digits: int = 3
) -> str:
    """Returns a line of column names and a line per row: Markdown, or `aligned` by spaces.

    Floats have `digits` decimals, a missing value is a dash. Aligned columns of numbers are right-aligned.
    Texts may come from strangers: each stays in its line and cell, and Markdown shows it as it is written.
    """
    values = [list(row) for row in rows]
    lines = [[str(name) for name in columns], *([cell(value, digits) for value in row] for row in values)]
    if aligned:
        numbers = [all(_is_number(row[place]) for row in values) for place in range(len(columns))]
        return _aligned(lines, numbers)
    header, *body = ("| " + " | ".join(_MARK.sub(r"\\\g<0>", text) for text in line) + " |" for line in lines)
    return "\n".join([header, "|---" * len(columns) + "|", *body])


def cell(value: object, digits: int = 3) -> str:
    """Returns one value as a table shows it."""
    if pd.isna(value):
        return "-"
    return f"{value:.{digits}f}" if isinstance(value, float) else printable(" ".join(str(value).splitlines()))


def _is_number(value: object) -> bool:
    return isinstance(value, Real) or bool(pd.isna(value))


def _aligned(lines: list[list[str]], numbers: list[bool]) -> str:
    columns = []
    for column, right in zip(zip(*lines, strict=True), numbers, strict=True):
        width = max(map(len, column))
        columns.append([text.rjust(width) if right else text.ljust(width) for text in column])
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))
