"""Known attributes of image files, from a CSV file."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from db.layout import normalize_text
from precompute.inputs.images.files import ImagesError, first_three
from precompute.inputs.text_files import MISSING, Table, open_table, shown

PATH = "path"
"""Column of the names of images."""


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
    table = open_table(csv_path, PATH, ImagesError)
    rows: list[Attribute] = []
    lines: dict[str, int] = {}
    for line, row in table.rows:
        relative = _image_name(row.pop(PATH), image_names, f"{csv_path}, line {line}")
        check_once(csv_path, line, relative, lines)
        rows += attributes_of(relative, row)
    return Attributes(rows, attribute_names(table), unlisted=len(image_names) - len(lines))


def attribute_names(table: Table) -> tuple[str, ...]:
    """Returns the columns that are attributes."""
    return tuple(name for name in table.columns if name != PATH)


def attributes_of(relative: str, row: Mapping[str, str]) -> list[Attribute]:
    """Returns the attributes of one file from the cells of its row, by attribute name."""
    return [Attribute(relative, name, value) for name, cell in row.items() for value in split_values(cell)]


def split_values(cell: str) -> list[str]:
    """Returns the distinct values of one cell, in order; the separator is |."""
    return list(dict.fromkeys(filter(None, map(normalize_text, cell.split("|")))))


def drop_missing(rows: Iterable[Attribute]) -> tuple[list[Attribute], list[str]]:
    """Returns the rows with a value, and one phrase for each attribute of which values were missing."""
    rows = list(rows)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.value in MISSING:
            counts[row.attribute][row.value] += 1
    notes = [
        f"{name}: {missing.total():,} missing ({first_three(list(missing))}); rename it if it is a value"
        for name, missing in counts.items()
    ]
    return ([row for row in rows if row.value not in MISSING] if counts else rows), notes


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


def check_once(csv_path: Path, line: int, relative: str, lines: dict[str, int]) -> None:
    """Adds the line of a path to `lines`. Raises ImagesError if an earlier line has the same path."""
    first = lines.setdefault(relative, line)
    if first != line:
        raise ImagesError(
            f"{csv_path}, line {line}: {relative} stands in line {first} already. "
            "Keep one row a file; separate several values by |."
        )


def _image_name(cell: str, image_names: set[str], where: str) -> str:
    """Returns the image name that a path in a cell stands for. Raises ImagesError."""
    path = normalize_text(cell)
    for candidate in (path, path.removeprefix("./"), path.replace("\\", "/").removeprefix("./")):
        if candidate in image_names:
            return candidate
    example = min(image_names, default="a.png")
    raise ImagesError(
        f"{where}: there is no image {shown(cell)}. Write paths as those of --images: {example!r}."
    )
