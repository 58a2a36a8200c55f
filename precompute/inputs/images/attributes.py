"""What is known of the images already: attributes of files, from a CSV file."""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.files import ImagesError


class Attribute(NamedTuple):
    """One known value of one attribute of one file."""

    relative: str
    attribute: str
    value: str


class Attributes(NamedTuple):
    """What an attribute file says."""

    rows: list[Attribute]
    """In the order of the attribute file; no row twice."""

    names: tuple[str, ...]
    """Its attributes, in the order of its columns, whether or not a cell is filled."""

    unlisted: int
    """Number of image files that have no row in it."""


def read_attributes(csv_path: Path, names: Iterable[str]) -> Attributes:
    """What is known of the images called `names`: a CSV file with a column `path` and one for each attribute.

    Several values of one cell are separated by |; an empty cell says nothing. Raises ImagesError.
    """
    known = set(names)
    columns, cells = csv_rows(csv_path)
    rows: list[Attribute] = []
    seen: dict[str, int] = {}
    for line, row in cells:
        relative = _known_path(row.pop("path"), known, f"{csv_path}, line {line}")
        check_once(csv_path, line, relative, seen)
        rows += attributes_of(relative, row)
    return Attributes(rows, tuple(columns), unlisted=len(known) - len(seen))


def attributes_of(relative: str, row: Mapping[str, str]) -> list[Attribute]:
    """The values of one file, from the cells of its row: by attribute, several separated by |."""
    return [Attribute(relative, name, value) for name, cell in row.items() for value in split_values(cell)]


def split_values(cell: str) -> list[str]:
    """The values in one cell, each once, in their order."""
    values = (unicodedata.normalize("NFC", value.strip()) for value in cell.split("|"))
    return list(dict.fromkeys(value for value in values if value))


def check_agree(
    one: Iterable[Attribute], one_path: Path, other: Iterable[Attribute], other_path: Path
) -> None:
    """Raise ImagesError where two files give one attribute of one image different values."""
    stated, again = _by_file(one), _by_file(other)
    for key, values in stated.items():
        if key in again and values != again[key]:
            relative, name = key
            raise ImagesError(
                f"{name} of {relative} is {'|'.join(sorted(values))} in {one_path}, but "
                f"{'|'.join(sorted(again[key]))} in {other_path}. Correct one of them."
            )


def _by_file(rows: Iterable[Attribute]) -> dict[tuple[str, str], set[str]]:
    stated: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        stated[row.relative, row.attribute].add(row.value)
    return stated


def csv_rows(csv_path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """Names of the columns but `path`; then line number and cells by column of every line.

    Raises ImagesError.
    """
    lines = csv_lines(csv_path)
    columns = csv_columns(csv_path, next(lines, (1, []))[1])
    rows = ((line, _row(csv_path, line, columns, cells)) for line, cells in lines)
    return [name for name in columns if name != "path"], rows


def _row(csv_path: Path, line: int, columns: list[str], cells: list[str]) -> dict[str, str]:
    if len(cells) != len(columns):
        raise ImagesError(
            f"{csv_path}, line {line}: {len(cells)} cells under {len(columns)} columns. "
            "Put cells that hold a comma in double quotes."
        )
    return dict(zip(columns, cells, strict=True))


def check_once(csv_path: Path, line: int, relative: str, seen: dict[str, int]) -> None:
    """Note the line of a path in `seen`. Raises ImagesError if an earlier line has it."""
    first = seen.setdefault(relative, line)
    if first != line:
        raise ImagesError(
            f"{csv_path}, line {line}: {relative} stands in line {first} already. "
            "Keep one row a file; separate several values by |."
        )


def csv_lines(csv_path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every line that is not empty. Raises ImagesError."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark before the first column's name.
        with open(csv_path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            yield from ((reader.line_num, cells) for cells in reader if cells)
    except UnicodeDecodeError as error:
        raise ImagesError(f"{csv_path} is not UTF-8. Save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise ImagesError(f"{csv_path}, line {reader.line_num}: {error}. Correct that line.") from error
    except OSError as error:
        raise ImagesError(f"cannot open {csv_path}: {error.strerror}. Check the path.") from error


def csv_columns(csv_path: Path, header: Sequence[str]) -> list[str]:
    """Names of the columns. Raises ImagesError unless they are distinct and one is `path`."""
    columns = [unicodedata.normalize("NFC", name.strip()) for name in header]
    if "path" not in columns:
        found = f"the first line has {', '.join(columns)}" if columns else "the file is empty"
        raise ImagesError(f"{csv_path} has no column path ({found}). Name the column of file paths path.")
    for number, name in enumerate(columns, start=1):
        if not name:
            raise ImagesError(f"{csv_path}: column {number} has no name. Name it, or remove it.")
        if columns.index(name) != number - 1:
            raise ImagesError(f"{csv_path} has two columns {name}. Rename one; separate several values by |.")
    return columns


def _known_path(cell: str, known: set[str], where: str) -> str:
    """The relative path that a cell means. Raises ImagesError."""
    path = unicodedata.normalize("NFC", cell.strip())
    for candidate in (path, path.removeprefix("./"), path.replace("\\", "/").removeprefix("./")):
        if candidate in known:
            return candidate
    example = min(known, default="a.png")
    raise ImagesError(f"{where}: there is no image {cell!r}. Write paths as those of --images: {example!r}.")
