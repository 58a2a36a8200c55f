"""Keeps texts of strangers from being run by a spreadsheet that opens a CSV file."""

import re
from typing import Any

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.IGNORECASE)


def harmless(cell: Any) -> Any:
    """Returns a cell, with an apostrophe before a text that a spreadsheet reads as a formula."""
    is_formula = isinstance(cell, str) and FORMULA.match(cell) and not NUMBER.fullmatch(cell)
    return f"'{cell}" if is_formula else cell
