"""Known attributes of image files, from a CSV file."""

import csv
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.files import ImagesError


class Attribute(NamedTuple):
    """One value of one attribute of one file."""

    relative: str
    attribute: str
    value: str


class Attributes(NamedTuple):
    """The content of an attribute file."""

    rows: list[Attribute]
    """Distinct rows, in the order of the file."""

    names: tuple[str, ...]
    """Attribute names in the order of the columns, empty columns included."""

    unlisted: int
    """Number of image files without a row in the file."""


def read_attributes(csv_path: Path, names: Iterable[str]) -> Attributes:
    """Returns the attributes of the images `names`, from a CSV file: a column `path`, one for each attribute.

    Several values of one cell are separated by |; an empty cell gives no value. Raises ImagesError.
    """
    image_names = set(names)
    columns, cells = csv_rows(csv_path)
    rows: list[Attribute] = []
    lines: dict[str, int] = {}
    for line, row in cells:
        relative = _image_name(row.pop("path"), image_names, f"{csv_path}, line {line}")
        check_once(csv_path, line, relative, lines)
        rows += attributes_of(relative, row)
    return Attributes(rows, tuple(columns), unlisted=len(image_names) - len(lines))


def attributes_of(relative: str, row: Mapping[str, str]) -> list[Attribute]:
    """Returns the attributes of one file from the cells of its row, by attribute name."""
    return [Attribute(relative, name, value) for name, cell in row.items() for value in split_values(cell)]


def split_values(cell: str) -> list[str]:
    """Returns the distinct values of one cell, in order; the separator is |."""
    values = (unicodedata.normalize("NFC", value.strip()) for value in cell.split("|"))
    return list(dict.fromkeys(value for value in values if value))


def check_agree(
    rows: Iterable[Attribute], path: Path, other_rows: Iterable[Attribute], other_path: Path
) -> None:
    """Raises ImagesError if two files give different values for one attribute of one image."""
    other_values = _by_file(other_rows)
    for key, values in _by_file(rows).items():
        if key in other_values and values != other_values[key]:
            relative, name = key
            raise ImagesError(
                f"{name} of {relative} is {'|'.join(sorted(values))} in {path}, but "
                f"{'|'.join(sorted(other_values[key]))} in {other_path}. Correct one of them."
            )


def _by_file(rows: Iterable[Attribute]) -> dict[tuple[str, str], set[str]]:
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        values[row.relative, row.attribute].add(row.value)
    return values


def csv_rows(csv_path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """Returns the names of the columns except `path`, and line number and cells by column of every line.

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


def check_once(csv_path: Path, line: int, relative: str, lines: dict[str, int]) -> None:
    """Adds the line of a path to `lines`. Raises ImagesError if an earlier line has the same path."""
    first = lines.setdefault(relative, line)
    if first != line:
        raise ImagesError(
            f"{csv_path}, line {line}: {relative} stands in line {first} already. "
            "Keep one row a file; separate several values by |."
        )


def csv_lines(csv_path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yields line number and cells of every non-empty line. Raises ImagesError."""
    try:
        # utf-8-sig: spreadsheets write a byte order mark before the name of the first column.
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
    """Returns the names of the columns. Raises ImagesError unless they are distinct and include `path`."""
    columns = [unicodedata.normalize("NFC", name.strip()) for name in header]
    if "path" not in columns:
        reason = f"the first line has {', '.join(columns)}" if columns else "the file is empty"
        raise ImagesError(f"{csv_path} has no column path ({reason}). Name the column of file paths path.")
    for number, name in enumerate(columns, start=1):
        if not name:
            raise ImagesError(f"{csv_path}: column {number} has no name. Name it, or remove it.")
        if columns.index(name) != number - 1:
            raise ImagesError(f"{csv_path} has two columns {name}. Rename one; separate several values by |.")
    return columns


def _image_name(cell: str, image_names: set[str], where: str) -> str:
    """Returns the image name that a path in a cell stands for. Raises ImagesError."""
    path = unicodedata.normalize("NFC", cell.strip())
    for candidate in (path, path.removeprefix("./"), path.replace("\\", "/").removeprefix("./")):
        if candidate in image_names:
            return candidate
    example = min(image_names, default="a.png")
    raise ImagesError(f"{where}: there is no image {cell!r}. Write paths as those of --images: {example!r}.")
