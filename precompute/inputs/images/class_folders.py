"""Class folders: classes from folder names, as in ImageNet, and names for classes that are ids.

n01440764/ILSVRC2012_val_00000293.JPEG    the attribute `class` is n01440764
LOC_synset_mapping.txt: n01440764 tench, Tinca tinca    the attribute `class` becomes tench
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.attributes import Attribute
from precompute.inputs.images.files import ImageFile, ImagesError

CLASS = "class"

NAME_FILES = ("LOC_synset_mapping.txt", "synset_words.txt", "classes.txt", "words.txt")
"""Files that may contain class names; the first one that names one of the classes is used."""

WORDNET = re.compile(r"n\d{8}")


class ClassNames(NamedTuple):
    """Names for classes that are ids."""

    file: str
    names: dict[str, str]
    """First name of each id; if two ids have the same name, the id follows in brackets."""


def from_folders(files: Sequence[ImageFile]) -> list[Attribute]:
    """Returns the folder of each file as its class.

    Empty unless all files are one level deep, in two or more folders.
    """
    if any(file.relative.count("/") != 1 for file in files):
        return []
    rows = [Attribute(file.relative, CLASS, file.relative.partition("/")[0]) for file in files]
    return rows if len(values(rows)) > 1 else []


def values(rows: Iterable[Attribute]) -> set[str]:
    """Returns the distinct classes."""
    return {row.value for row in rows if row.attribute == CLASS}


def read_names(root: Path, ids: set[str]) -> ClassNames | None:
    """Returns the names of `ids` from a file in `root`; None if no file has any. Raises ImagesError.

    A line is an id, a space or a tab, and names separated by commas; other lines are ignored.
    """
    for file in NAME_FILES:
        names = _first_names(root / file, ids) if (root / file).is_file() else {}
        if names:
            counts = Counter([*names.values(), *(ids - names.keys())])
            distinct = {id_: f"{name} ({id_})" if counts[name] > 1 else name for id_, name in names.items()}
            return ClassNames(file, distinct)
    return None


def with_names(rows: Iterable[Attribute], names: ClassNames) -> list[Attribute]:
    """Returns the rows with every class replaced by its name, if it has one."""
    return [
        row._replace(value=names.names.get(row.value, row.value)) if row.attribute == CLASS else row
        for row in rows
    ]


def origin(ids: set[str], where: str, names: ClassNames | None) -> str:
    """Returns the origin of the classes in words, e.g. 1,000 folders, named by classes.txt."""
    if names:
        missing = len(ids) - len(names.names)
        return f"{where}, named by {names.file}" + (f", {missing:,} of them not in it" if missing else "")
    if all(WORDNET.fullmatch(id_) for id_ in ids):
        return f"{where}: WordNet ids; put {NAME_FILES[0]} beside them for names"
    return where


def _first_names(path: Path, ids: set[str]) -> dict[str, str]:
    """Returns the first name of each of `ids` in one file. Raises ImagesError."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImagesError(
            f"cannot read the class names in {path}: {error}. Repair it, or remove it."
        ) from error
    names: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        id_, *rest = unicodedata.normalize("NFC", line).strip().split(maxsplit=1)[:2] or [""]
        name = rest[0].split(",")[0].strip() if rest else ""
        if id_ in ids and name and names.setdefault(id_, name) != name:
            raise ImagesError(
                f"{path}, line {number}: {id_} is {name!r}, but was {names[id_]!r} above. Keep one line."
            )
    return names
