"""TEXTSPAN results of other programs: for each head its texts, in the order they were chosen.

Two forms are read, told apart by what is inside. The one that the reference implementation of Gandelsman,
Efros, Steinhardt 2024 writes (https://github.com/yossigandelsman/clip_text_span):

    ------------------
    Layer 8, Head 0
    ------------------
    a red brick wall
    a photo of something red
    ------------------
    Current accuracy: 70.1
    Number of texts: 560

and a table, CSV with the columns layer, head, rank and text in any order, ranks from 0 or from 1.

Knows nothing of models or pools: a file in, texts out.
"""

import csv
import hashlib
import io
import re
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from db.layout import head_name
from precompute.inputs.text_pool import normalize
from precompute.method.types import Head

COLUMNS = ("layer", "head", "rank", "text")
"""What a table must have; more columns are left alone."""

_HEADER = re.compile(r"layer\s*:?\s*(\d+)\s*,?\s*head\s*:?\s*(\d+)\s*:?", re.IGNORECASE)
_NEARLY_HEADER = re.compile(r"layer\W*\d+\W*head\W*\d+", re.IGNORECASE)
_RULE = re.compile(r"-{3,}|={3,}")
_SUMMARY = re.compile(r"(current accuracy|number of texts):[\s\d.\[\]e+-]*", re.IGNORECASE)
"""What the reference writes below the last head."""

_HOW = (
    "Give what the reference implementation of TEXTSPAN writes (a line such as 'Layer 8, Head 0', below it "
    f"the head's texts, one a line), or a CSV with the columns {', '.join(COLUMNS)}."
)

_Lines = list[tuple[int, str]]
"""Number of the line and text, in the order of choice."""


class ResultsError(UserError):
    """A file of results cannot be read or does not fit; the message names file, line and what to do."""


class TextLists(NamedTuple):
    """What one file says."""

    file: str
    """Name of the file, without its folder."""

    sha256: str
    """Of the file's bytes."""

    texts: dict[Head, tuple[str, ...]]
    """Layer and head, both zero-based and rising, to the head's texts in the order they were chosen.

    Texts are in NFC, without space around them.
    """


def read(path: Path) -> TextLists:
    """Read one file in either form. Raises ResultsError."""
    try:
        data = path.read_bytes()
        content = data.decode("utf-8-sig")
    except OSError as error:
        raise ResultsError(f"cannot read the results {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ResultsError(f"{path}, line {line}: not UTF-8. Save the file as UTF-8.") from error
    return TextLists(path.name, hashlib.sha256(data).hexdigest(), parse(content, name=str(path)))


def parse(content: str, *, name: str) -> dict[Head, tuple[str, ...]]:
    """Texts of every head from the content of a file; messages call it `name`. Raises ResultsError."""
    # Not splitlines: it also splits at characters that may stand inside a text.
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise ResultsError(f"{name} is empty. {_HOW}")
    is_table = {"layer", "head"} <= set(_cells(first))
    found = _from_table("\n".join(lines), name) if is_table else _from_blocks(lines, name)
    for head in found:
        _check_no_repeats(found[head], head, name)
    return {head: tuple(text for _, text in found[head]) for head in sorted(found)}


def _from_blocks(lines: list[str], name: str) -> dict[Head, _Lines]:
    """The reference's form."""
    found: dict[Head, _Lines] = {}
    begun: dict[Head, int] = {}
    current: _Lines | None = None
    for number, line in enumerate(map(normalize, lines), start=1):
        if not line or _RULE.fullmatch(line) or _SUMMARY.fullmatch(line):
            continue
        if header := _HEADER.fullmatch(line):
            head = int(header[1]), int(header[2])
            if head in begun:
                twice = f"{head_name(*head)} begins a second time, after line {begun[head]}"
                raise ResultsError(f"{name}, line {number}: {twice}. Keep one of the two.")
            begun[head] = number
            current = found[head] = []
        elif _NEARLY_HEADER.match(line):
            form = "Write it as 'Layer 8, Head 0' and nothing else"
            raise ResultsError(f"{name}, line {number}: {line!r} is nearly the header of a head. {form}.")
        elif current is None:
            raise ResultsError(f"{name}, line {number}: {line!r} stands before the first head. {_HOW}")
        else:
            current.append((number, line))
    return _checked_blocks(found, begun, name)


def _checked_blocks(found: dict[Head, _Lines], begun: dict[Head, int], name: str) -> dict[Head, _Lines]:
    if not found:
        raise ResultsError(f"{name} names no head. {_HOW}")
    for head, texts in found.items():
        if not texts:
            raise ResultsError(
                f"{name}, line {begun[head]}: {head_name(*head)} has no texts. Write them below, one a line, "
                "or leave the head out."
            )
    return found


def _from_table(content: str, name: str) -> dict[Head, _Lines]:
    """The CSV form."""
    ranked: dict[Head, dict[int, tuple[int, str]]] = {}
    reader = csv.reader(io.StringIO(content), strict=True)
    columns: list[str] = []
    try:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not columns:
                columns = _columns(row, name, reader.line_num)
                continue
            where = f"{name}, line {reader.line_num}"
            head, rank, text = _row(row, columns, where)
            ranks = ranked.setdefault(head, {})
            if rank in ranks:
                twice = f"rank {rank} of {head_name(*head)} stands in line {ranks[rank][0]} already"
                raise ResultsError(f"{where}: {twice}. Give each rank of a head once.")
            ranks[rank] = reader.line_num, text
    except csv.Error as error:
        raise ResultsError(f"{name}, line {reader.line_num}: not CSV ({error}). {_HOW}") from error
    return _in_order(ranked, name)


def _columns(row: list[str], name: str, line: int) -> list[str]:
    """Names of the columns; each of COLUMNS is there once."""
    there = [cell.strip().lower() for cell in row]
    for column in COLUMNS:
        if there.count(column) != 1:
            wrong = f"has the column {column!r} twice" if column in there else f"lacks the column {column!r}"
            raise ResultsError(f"{name}, line {line}: the table {wrong}. {_HOW}")
    return there


def _row(row: list[str], columns: list[str], where: str) -> tuple[Head, int, str]:
    """Head, rank and text of one row."""
    if len(row) != len(columns):
        # Most of all a text with a comma: to cut it there would be another text.
        counts = f"{len(row)} cells, but there are {len(columns)} columns"
        raise ResultsError(f"{where}: the row has {counts}. Put texts with commas in quotes.")
    cells = {column: normalize(row[columns.index(column)]) for column in COLUMNS}
    for column in COLUMNS[:3]:
        if not (cells[column].isascii() and cells[column].isdigit()):
            raise ResultsError(
                f"{where}: {column} {cells[column]!r} is no whole number from 0 up. Correct it."
            )
    if not cells["text"]:
        raise ResultsError(f"{where}: the text is empty. Fill it in, or leave the row out.")
    return (int(cells["layer"]), int(cells["head"])), int(cells["rank"]), cells["text"]


def _in_order(ranked: dict[Head, dict[int, tuple[int, str]]], name: str) -> dict[Head, _Lines]:
    """Texts by rank; a rank may not be missing."""
    if not ranked:
        raise ResultsError(f"{name} has no texts, only the names of its columns. Add a row a text.")
    first = min(1, min(min(ranks) for ranks in ranked.values()))
    for head, ranks in ranked.items():
        missing = next(rank for rank in range(first, first + len(ranks) + 1) if rank not in ranks)
        if missing < first + len(ranks):
            line, above = min((ranks[rank][0], rank) for rank in ranks if rank > missing)
            raise ResultsError(
                f"{name}, line {line}: {head_name(*head)} has rank {above}, but no rank {missing}. Ranks "
                f"begin at {first} in this file and leave none out; add the row."
            )
    return {head: [ranks[rank] for rank in sorted(ranks)] for head, ranks in ranked.items()}


def _check_no_repeats(texts: _Lines, head: Head, name: str) -> None:
    """TEXTSPAN removes what it has chosen: a text comes again only where nothing but rounding is left."""
    seen: dict[str, int] = {}
    for line, text in texts:
        if text in seen:
            raise ResultsError(
                f"{name}, line {line}: {head_name(*head)} has {text!r} in line {seen[text]} already. From "
                "here on its list describes rounding errors; cut it here, or ask for fewer texts a head."
            )
        seen[text] = line


def _cells(line: str) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in line.split(",")]
