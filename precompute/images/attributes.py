"""What is known of the images already: attributes of files, from a CSV file."""

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from precompute.images.finding import ImageFile, ImagesError


class Attribute(NamedTuple):
    """One known value of one attribute of one file."""

    relative: str
    attribute: str
    value: str


class Attributes(NamedTuple):
    """What an attribute file says."""

    rows: list[Attribute]
    """In the order of the attribute file; no row twice."""

    unlisted: int
    """Number of image files that have no row in it."""


def read_attributes(csv_path: Path, files: Sequence[ImageFile]) -> Attributes:
    """What is known of the images: a CSV file with a column `path` and one column for each attribute.

    Several values of one cell are separated by |; an empty cell says nothing. Raises ImagesError.
    """
    known = {file.relative for file in files}
    lines = csv_lines(csv_path)
    columns = csv_columns(csv_path, next(lines, (1, []))[1])

    rows: list[Attribute] = []
    seen: dict[str, int] = {}  # line of each path
    for line, cells in lines:
        if len(cells) != len(columns):
            raise ImagesError(
                f"{csv_path}, line {line}: {len(cells)} cells under {len(columns)} columns. "
                "Put cells that hold a comma in double quotes."
            )
        row = dict(zip(columns, cells, strict=True))
        relative = _known_path(row.pop("path"), known, f"{csv_path}, line {line}")
        if relative in seen:
            raise ImagesError(
                f"{csv_path}, line {line}: {relative} stands in line {seen[relative]} already. "
                "Keep one row a file; separate several values by |."
            )
        seen[relative] = line
        rows += [Attribute(relative, name, value) for name, cell in row.items() for value in _values(cell)]
    return Attributes(rows, unlisted=len(known) - len(seen))


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
    raise ImagesError(f"{where}: no image {cell!r} in the folder. Give paths relative to it, as {example!r}.")


def _values(cell: str) -> list[str]:
    """The values in one cell, each once."""
    values = (unicodedata.normalize("NFC", value.strip()) for value in cell.split("|"))
    return list(dict.fromkeys(value for value in values if value))
