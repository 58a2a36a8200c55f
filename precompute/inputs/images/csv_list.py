"""A CSV file as the list of images: a column `path`, and one column for each known attribute.

Paths are absolute or relative to the CSV file. The order of the lines has no effect.
"""

import os
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import NamedTuple

from db.layout import normalize_text
from precompute.inputs.images.attributes import PATH, Attribute, attribute_names, attributes_of, check_once
from precompute.inputs.images.files import ImageFile, ImagesError, first_three, in_order_of_names, portable
from precompute.inputs.text_files import open_table, shown


class CsvList(NamedTuple):
    """The content of a CSV list."""

    files: list[ImageFile]
    """Image files sorted by `relative`; a path outside the folder of the CSV file stays absolute."""

    attributes: list[Attribute]
    names: tuple[str, ...]
    """Attribute names of the columns, empty columns included."""


def read_list(csv_path: Path, advance: Callable[[int], None] = lambda _: None) -> CsvList:
    """Returns the images of a CSV list; each must exist, readable or not. Raises ImagesError.

    `advance` is called with 1 for every path checked.
    """
    table = open_table(csv_path, PATH, ImagesError)
    folder = csv_path.absolute().parent
    files, attributes, missing = [], [], []
    lines: dict[str, int] = {}
    for line, row in table.rows:
        cell = row.pop(PATH)
        if not cell.strip():
            raise ImagesError(f"{csv_path}, line {line}: no path. Fill the cell, or remove the line.")
        path = existing_path(folder, cell)
        advance(1)
        if path is None:
            missing.append(cell)
            continue
        relative = _image_name(folder, path)
        check_once(csv_path, line, relative, lines)
        files.append(ImageFile(path, relative))
        attributes += attributes_of(relative, row)
    _check_listed(csv_path, files, missing)
    return CsvList(in_order_of_names(files), attributes, attribute_names(table))


def existing_path(folder: Path, cell: str) -> Path | None:
    """Returns the file of a listed path, as written or in another system's spelling; None if missing."""
    plain = cell.strip()
    spellings = (cell, plain, normalize_text(plain), plain.replace("\\", "/"))
    # A broken link counts as existing, as in a folder: the scan gives the reason of its failure.
    return next((folder / path for path in spellings if os.path.lexists(folder / path)), None)


def _image_name(folder: Path, path: Path) -> str:
    """Returns the name of a listed file in the bundle."""
    plain = PurePath(os.path.normpath(path))
    below = [base for base in (folder, folder.resolve()) if plain.is_relative_to(base)]
    name = plain.relative_to(below[0]) if below else plain
    return portable(name.as_posix())


def _check_listed(csv_path: Path, files: list[ImageFile], missing: list[str]) -> None:
    """Raises ImagesError if listed files are missing, or no file is listed."""
    if missing:
        total = len(files) + len(missing)
        raise ImagesError(
            f"{len(missing):,} of the {total:,} paths in {csv_path} are not there: "
            f"{first_three(list(map(shown, missing)))}. "
            f"Correct or remove them; paths are relative to {csv_path.parent}, or absolute."
        )
    if not files:
        raise ImagesError(f"{csv_path} lists no image. Write one path a line, under the column path.")
