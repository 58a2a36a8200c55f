"""Classes from folders, as ImageNet's images lie: one folder a class; and the names of classes that are ids.

n01440764/ILSVRC2012_val_00000293.JPEG    the attribute `class` is n01440764
LOC_synset_mapping.txt: n01440764 tench, Tinca tinca    now it is tench
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
"""Where names of classes are looked for; the first that names one of them is used."""

WORDNET = re.compile(r"n\d{8}")


class ClassNames(NamedTuple):
    """Names of classes that are ids."""

    file: str
    names: dict[str, str]
    """The first name of each id; where two ids have the same, with the id in brackets behind it."""


def from_folders(files: Sequence[ImageFile]) -> list[Attribute]:
    """The folder of each file as its class; nothing unless all lie one deep, in two folders or more."""
    if any(file.relative.count("/") != 1 for file in files):
        return []
    rows = [Attribute(file.relative, CLASS, file.relative.partition("/")[0]) for file in files]
    return rows if len(values(rows)) > 1 else []


def values(rows: Iterable[Attribute]) -> set[str]:
    """The classes that occur."""
    return {row.value for row in rows if row.attribute == CLASS}


def read_names(root: Path, ids: set[str]) -> ClassNames | None:
    """Names of some of `ids`, from a file that stands in `root`; None where none has any. Raises ImagesError.

    A line is an id, a space or a tab, and names separated by commas; other lines are passed over.
    """
    for name in NAME_FILES:
        found = _first_names(root / name, ids) if (root / name).is_file() else {}
        if found:
            times = Counter([*found.values(), *(ids - found.keys())])
            told_apart = {one: f"{word} ({one})" if times[word] > 1 else word for one, word in found.items()}
            return ClassNames(name, told_apart)
    return None


def named(rows: Iterable[Attribute], names: ClassNames) -> list[Attribute]:
    """The same rows, with a name for every class that has one."""
    return [
        row._replace(value=names.names.get(row.value, row.value)) if row.attribute == CLASS else row
        for row in rows
    ]


def origin(ids: set[str], where: str, names: ClassNames | None) -> str:
    """Where classes are from, e.g. 1,000 folders, named by classes.txt."""
    if names:
        missing = len(ids) - len(names.names)
        return f"{where}, named by {names.file}" + (f", {missing:,} of them not in it" if missing else "")
    if all(WORDNET.fullmatch(one) for one in ids):
        return f"{where}: WordNet ids; put {NAME_FILES[0]} beside them for names"
    return where


def _first_names(path: Path, ids: set[str]) -> dict[str, str]:
    """The first name of each of `ids` in one file."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ImagesError(
            f"cannot read the class names in {path}: {error}. Repair it, or remove it."
        ) from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        one, *rest = unicodedata.normalize("NFC", line).strip().split(maxsplit=1)[:2] or [""]
        name = rest[0].split(",")[0].strip() if rest else ""
        if one in ids and name and found.setdefault(one, name) != name:
            raise ImagesError(
                f"{path}, line {number}: {one} is {name!r}, but was {found[one]!r} above. Keep one line."
            )
    return found
