"""A CSV file as the list of images: a column `path`, and one column for each known attribute.

Paths are relative to the CSV file, or absolute. The order of its lines leaves no trace.
"""

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import NamedTuple

from precompute.inputs.images.attributes import (
    Attribute,
    attributes_of,
    check_once,
    csv_rows,
)
from precompute.inputs.images.files import (
    ImageFile,
    ImagesError,
    first_three,
    in_order_of_names,
)


class Listed(NamedTuple):
    """What a CSV file lists."""

    files: list[ImageFile]
    """Sorted by `relative`; a path that is not below the CSV file's folder stays absolute."""

    attributes: list[Attribute]
    names: tuple[str, ...]
    """The attributes of its columns, whether or not a cell is filled."""


def read_list(csv_path: Path, advance: Callable[[int], None] = lambda _: None) -> Listed:
    """The images that a CSV file lists; each must be there, but may turn out unreadable. Raises ImagesError.

    `advance` is told of every path that was looked for.
    """
    names, rows = csv_rows(csv_path)
    folder = csv_path.absolute().parent
    files, attributes, missing = [], [], []
    seen: dict[str, int] = {}
    for line, row in rows:
        cell = row.pop("path").strip()
        if not cell:
            raise ImagesError(f"{csv_path}, line {line}: no path. Fill the cell, or remove the line.")
        path = _there(folder, cell)
        advance(1)
        if path is None:
            missing.append(cell)
            continue
        relative = _name(folder, path)
        check_once(csv_path, line, relative, seen)
        files.append(ImageFile(path, relative))
        attributes += attributes_of(relative, row)
    _check_listed(csv_path, files, missing)
    return Listed(in_order_of_names(files), attributes, tuple(names))


def _there(folder: Path, cell: str) -> Path | None:
    """Where a listed path leads, as it is written or as another system writes it; None where nothing is."""
    ways = (cell, unicodedata.normalize("NFC", cell), cell.replace("\\", "/"))
    # A broken link is there, as it is in a folder: it fails with a reason later.
    return next((folder / way for way in ways if os.path.lexists(folder / way)), None)


def _name(folder: Path, path: Path) -> str:
    """What the bundle calls a listed file."""
    plain = PurePath(os.path.normpath(path))
    below = [base for base in (folder, folder.resolve()) if plain.is_relative_to(base)]
    name = plain.relative_to(below[0]) if below else plain
    return unicodedata.normalize("NFC", name.as_posix())


def _check_listed(csv_path: Path, files: list[ImageFile], missing: list[str]) -> None:
    """Raise ImagesError if listed files are not there, or none is listed."""
    if missing:
        total = len(files) + len(missing)
        raise ImagesError(
            f"{len(missing):,} of the {total:,} paths in {csv_path} are not there: {first_three(missing)}. "
            f"Correct or remove them; paths are relative to {csv_path.parent}, or absolute."
        )
    if not files:
        raise ImagesError(f"{csv_path} lists no image. Write one path a line, under the column path.")
