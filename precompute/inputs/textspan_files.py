"""TEXTSPAN results of other programs: the texts of each head, in the order of choice.

Two formats are read and distinguished by their content. The first is the output of the reference
implementation of Gandelsman, Efros, Steinhardt 2024 (https://github.com/yossigandelsman/clip_text_span):

    ------------------
    Layer 8, Head 0
    ------------------
    a red brick wall
    a photo of something red
    ------------------
    Current accuracy: 70.1
    Number of texts: 560

The second is a CSV table with the columns layer, head, rank and text in any order; ranks start at 0 or 1.

Knows nothing of models or pools: a file in, texts out.
"""

import hashlib
import io
import re
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from db.layout import head_name, normalize_text
from precompute.inputs.images.files import portable
from precompute.inputs.text_files import delimiter, header_cells, read_text, shown, table_of
from precompute.method.types import Head

COLUMNS = ("layer", "head", "rank", "text")
"""Required columns of a table; other columns are ignored."""

_HEADER = re.compile(r"layer\s*:?\s*(\d+)\s*,?\s*head\s*:?\s*(\d+)\s*:?", re.IGNORECASE)
_NEARLY_HEADER = re.compile(r"layer\W*\d+\W*head\W*\d+", re.IGNORECASE)
_RULE = re.compile(r"-{3,}|={3,}")
_SUMMARY = re.compile(r"(current accuracy|number of texts):[\s\d.\[\]e+-]*", re.IGNORECASE)
"""Lines that the reference writes below the last head."""

_HOW = (
    "Give what the reference implementation of TEXTSPAN writes (a line such as 'Layer 8, Head 0', below it "
    f"the head's texts, one a line), or a CSV with the columns {', '.join(COLUMNS)}."
)

_Lines = list[tuple[int, str]]
"""Line number and text of each choice, in order."""


class ResultsError(UserError):
    """A file of results cannot be read or does not fit; the message names file, line and what to do."""


class TextLists(NamedTuple):
    """The texts of the heads in one file."""

    file: str
    """Name of the file, without its folder."""

    sha256: str
    """Hash of the file's bytes."""

    texts: dict[Head, tuple[str, ...]]
    """Texts in the order of choice, by (layer, head); layer and head are zero-based and ascending.

    Texts are in NFC, without spaces around them.
    """


def read(path: Path) -> TextLists:
    """Returns the texts of one file in either format. Raises ResultsError."""
    content = read_text(path, "the results", ResultsError)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return TextLists(portable(path.name), sha256, parse(content, name=str(path)))


def parse(content: str, *, name: str) -> dict[Head, tuple[str, ...]]:
    """Returns the texts of every head in a file's content; messages contain `name`. Raises ResultsError."""
    # Not splitlines: it also splits at characters that can be part of a text.
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise ResultsError(f"{name} is empty. {_HOW}")
    is_table = {"layer", "head"} <= set(header_cells(first, delimiter(first, {"layer", "head"})))
    by_head = _from_table("\n".join(lines), name) if is_table else _from_blocks(lines, name)
    for head in by_head:
        _check_no_repeats(by_head[head], head, name)
    return {head: tuple(text for _, text in by_head[head]) for head in sorted(by_head)}


def _from_blocks(lines: list[str], name: str) -> dict[Head, _Lines]:
    """Returns the texts of every head in the reference's format."""
    by_head: dict[Head, _Lines] = {}
    header_line: dict[Head, int] = {}
    current: _Lines | None = None
    for number, line in enumerate(map(normalize_text, lines), start=1):
        if not line or _RULE.fullmatch(line) or _SUMMARY.fullmatch(line):
            continue
        if header := _HEADER.fullmatch(line):
            head = int(header[1]), int(header[2])
            if head in header_line:
                twice = f"{head_name(*head)} begins a second time, after line {header_line[head]}"
                raise ResultsError(f"{name}, line {number}: {twice}. Keep one of the two.")
            header_line[head] = number
            current = by_head[head] = []
        elif _NEARLY_HEADER.match(line):
            form = "Write it as 'Layer 8, Head 0' and nothing else"
            raise ResultsError(
                f"{name}, line {number}: {shown(line)} is nearly the header of a head. {form}."
            )
        elif current is None:
            raise ResultsError(f"{name}, line {number}: {shown(line)} stands before the first head. {_HOW}")
        else:
            current.append((number, line))
    _check_blocks(by_head, header_line, name)
    return by_head


def _check_blocks(by_head: dict[Head, _Lines], header_line: dict[Head, int], name: str) -> None:
    """Raises ResultsError if there is no head, or a head without texts."""
    if not by_head:
        raise ResultsError(f"{name} names no head. {_HOW}")
    for head, texts in by_head.items():
        if not texts:
            raise ResultsError(
                f"{name}, line {header_line[head]}: {head_name(*head)} has no texts. Write them below, "
                "one a line, or leave the head out."
            )


def _from_table(content: str, name: str) -> dict[Head, _Lines]:
    """Returns the texts of every head in the CSV format."""
    table = table_of(io.StringIO(content, newline=""), name, "layer", ResultsError)
    names = [column.lower() for column in table.columns]
    for column in COLUMNS:
        if names.count(column) != 1:
            wrong = f"has the column {column!r} twice" if column in names else f"lacks the column {column!r}"
            raise ResultsError(f"{name}, line 1: the table {wrong}. {_HOW}")
    ranked: dict[Head, dict[int, tuple[int, str]]] = {}
    for line, cells in table.rows:
        where = f"{name}, line {line}"
        head, rank, text = _row(
            {column.lower(): normalize_text(cell) for column, cell in cells.items()}, where
        )
        ranks = ranked.setdefault(head, {})
        if rank in ranks:
            twice = f"rank {rank} of {head_name(*head)} stands in line {ranks[rank][0]} already"
            raise ResultsError(f"{where}: {twice}. Give each rank of a head once.")
        ranks[rank] = line, text
    return _in_order(ranked, name)


def _row(cells: dict[str, str], where: str) -> tuple[Head, int, str]:
    """Returns head, rank and text of one row."""
    for column in COLUMNS[:3]:
        if not (cells[column].isascii() and cells[column].isdigit()):
            raise ResultsError(
                f"{where}: {column} {shown(cells[column])} is no whole number from 0 up. Correct it."
            )
    if not cells["text"]:
        raise ResultsError(f"{where}: the text is empty. Fill it in, or leave the row out.")
    return (int(cells["layer"]), int(cells["head"])), int(cells["rank"]), cells["text"]


def _in_order(ranked: dict[Head, dict[int, tuple[int, str]]], name: str) -> dict[Head, _Lines]:
    """Returns the texts of every head in order of rank. Raises ResultsError for a missing rank."""
    if not ranked:
        raise ResultsError(f"{name} has no texts, only the names of its columns. Add a row a text.")
    first = min(1, min(min(ranks) for ranks in ranked.values()))
    for head, ranks in ranked.items():
        missing = next(rank for rank in range(first, first + len(ranks) + 1) if rank not in ranks)
        if missing < first + len(ranks):
            line, next_rank = min((ranks[rank][0], rank) for rank in ranks if rank > missing)
            raise ResultsError(
                f"{name}, line {line}: {head_name(*head)} has rank {next_rank}, but no rank {missing}. Ranks "
                f"begin at {first} in this file and leave none out; add the row."
            )
    return {head: [ranks[rank] for rank in sorted(ranks)] for head, ranks in ranked.items()}


def _check_no_repeats(texts: _Lines, head: Head, name: str) -> None:
    """Raises ResultsError for a repeated text.

    TEXTSPAN removes each chosen direction, so it repeats a text only when nothing but rounding is left.
    """
    first_line: dict[str, int] = {}
    for line, text in texts:
        if text in first_line:
            raise ResultsError(
                f"{name}, line {line}: {head_name(*head)} has {shown(text)} in line {first_line[text]} "
                "already. From here on its list describes rounding errors; cut it here, or ask for fewer "
                "texts a head."
            )
        first_line[text] = line
