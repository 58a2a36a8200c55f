"""Text files of any system: their content, the lines of a table, and reasons why a file is neither.

Knows nothing of what a file means. Errors have the type that the caller gives.
"""

import csv
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from db.layout import normalize_text

DELIMITERS = ",;\t"
"""Separators of cells: a comma, and what spreadsheets write where the comma is the decimal point."""

MAX_SHOWN = 80
"""Maximum number of characters of a file in a message."""


MISSING = frozenset(
    ["nan", "NaN", "NAN", "NaT", "null", "Null", "NULL", "None", "N/A", "n/a", "NA", "#N/A", "<NA>"]
)
"""Cells by which programs write that there is no value; `none` in small letters is a value."""


class Table(NamedTuple):
    """A table with a header."""

    columns: list[str]
    rows: Iterator[tuple[int, dict[str, str]]]
    """Line number and cells by column, as written: a path in NFD is another file than one in NFC."""


class Lines(NamedTuple):
    """The lines of a file of one entry a line."""

    entries: list[tuple[int, str]]
    """Line number and text of every line that is no comment and not empty."""

    comments: tuple[str, ...]
    """Lines that begin with `#`, as written."""


def lines_of(content: str) -> Lines:
    """Returns entries and comments of a file's content, as `read_text` gives it."""
    # Not splitlines: it also splits at characters that can be part of a text.
    lines = list(enumerate(content.split("\n"), start=1))
    entries = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    return Lines(entries, tuple(line for _, line in lines if line.startswith("#")))


def left_out(comments: Sequence[str]) -> str:
    """Returns the number of comments of a file and the first of them; empty if there are none."""
    if not comments:
        return ""
    count = "1 comment" if len(comments) == 1 else f"{len(comments):,} comments"
    return f"{count} left out, the first {shown(comments[0])}"


def read_text(path: Path, what: str, error_type: type[UserError]) -> str:
    """Returns the content of a UTF-8 file; every line ends in one line feed. Raises `error_type`."""
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise error_type(f"cannot read {what} {path}: {error.strerror}. Check the path.") from error
    except UnicodeDecodeError as error:
        start, line = bytes(error.object[:4]), error.object[: error.start].count(b"\n") + 1
        where = f" (byte {error.start}, line {line})"
        raise error_type(f"{what} {path} {_not_utf8(start, where)}") from error
    return content.replace("\r\n", "\n").replace("\r", "\n")


def open_table(path: Path, key: str, error_type: type[UserError]) -> Table:
    """Returns the table of a file with a column `key`; rows are read one by one. Raises `error_type`."""
    return table_of(_file_lines(path, error_type), str(path), key, error_type)


def table_of(lines: Iterable[str], name: str, key: str, error_type: type[UserError]) -> Table:
    """Returns the table in `lines`; messages contain `name`. Raises `error_type`, also while reading rows."""
    lines, head = iter(lines), list[str]()
    while not (head and head[-1].strip()) and (line := next(lines, "")):
        head.append(line)
    first = head[-1] if head else ""
    if not first.strip():
        raise error_type(
            f"{name} has no column {key} (the file is empty). Write one row a line below a header."
        )
    if first.lstrip()[0] in "{[":
        raise error_type(
            f"{name} is JSON, not CSV. Write it as a CSV with a column {key} and one row a line."
        )
    reader = csv.reader(chain(head, lines), strict=True, delimiter=delimiter(first, {key}))
    rows = _cells(reader, name, error_type)
    _, header = next(rows, (1, []))
    names = map(normalize_text, header)
    columns = [key if column.lower() == key else column for column in names]
    _check_columns(columns, first, name, key, error_type)
    by_column = ((line, _row(cells, columns, f"{name}, line {line}", error_type)) for line, cells in rows)
    return Table(columns, by_column)


def delimiter(header: str, columns: Collection[str]) -> str:
    """Returns the separator by which a header has all these columns; a comma if none gives them."""
    return next((mark for mark in DELIMITERS if set(columns) <= set(header_cells(header, mark))), ",")


def header_cells(header: str, mark: str) -> list[str]:
    """Returns the names of the columns in the first line of a table, in lower case."""
    return [normalize_text(cell).strip('"').lower() for cell in header.split(mark)]


def shown(text: str) -> str:
    """Returns a text in quotes for a message, cut to a part of a line."""
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "...")


def _file_lines(path: Path, error_type: type[UserError]) -> Iterator[str]:
    try:
        # utf-8-sig: spreadsheets write a byte order mark before the name of the first column.
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield from file
    except UnicodeDecodeError as error:
        with open(path, "rb") as file:
            raise error_type(f"{path} {_not_utf8(file.read(4))}") from error
    except OSError as error:
        raise error_type(f"cannot open {path}: {error.strerror}. Check the path.") from error


def _not_utf8(start: bytes, where: str = "") -> str:
    """Returns what a file with these first bytes is instead, and what to do."""
    if start.startswith(b"PK"):
        return "is a workbook of a spreadsheet, or a zip. Save the sheet as CSV UTF-8."
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "is UTF-16. Save it as UTF-8 (spreadsheets: CSV UTF-8)."
    return f"is not UTF-8{where}. Save it as UTF-8."


def _cells(
    reader: Iterator[list[str]], name: str, error_type: type[UserError]
) -> Iterator[tuple[int, list[str]]]:
    """Yields line number and cells of every row that has any."""
    try:
        for cells in reader:
            if any(cells):
                yield reader.line_num, cells  # type: ignore[attr-defined]
    except csv.Error as error:
        line = reader.line_num  # type: ignore[attr-defined]
        raise error_type(f"{name}, line {line}: not CSV ({error}). Correct that line.") from error


def _check_columns(columns: list[str], first: str, name: str, key: str, error_type: type[UserError]) -> None:
    """Raises `error_type` unless the names of the columns are distinct and include `key`."""
    if key not in columns:
        raise error_type(
            f"{name} has no column {key} (the first line is {shown(first.strip())}). The first line "
            f"must name the columns, one of them {key}."
        )
    for number, column in enumerate(columns, start=1):
        if not column:
            raise error_type(f"{name}: column {number} has no name. Name it, or remove it.")
        if columns.index(column) != number - 1:
            raise error_type(f"{name} has two columns {column}. Rename one; separate several values by |.")


def _row(cells: list[str], columns: list[str], where: str, error_type: type[UserError]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise error_type(
            f"{where}: {len(cells)} cells under {len(columns)} columns. Put cells that hold a separator in "
            "double quotes."
        )
    return dict(zip(columns, cells, strict=True))
