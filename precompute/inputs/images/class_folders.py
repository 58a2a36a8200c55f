"""Class folders: which folders are classes, which only a way of storing, and the names of the classes.

    train/n01440764/ILSVRC2012_val_00000293.JPEG    class n01440764; train is a way of storing
    LOC_synset_mapping.txt: n01440764 tench, Tinca tinca    the class is called tench
    images/001.Black_footed_Albatross/0001.jpg      class Black footed Albatross
    a/apartment_building/indoor/1.jpg               class apartment building indoor; a is an index
    photo/dog/1.jpg and sketch/dog/1.jpg            class dog; photo and sketch are domains
    00000/000000012.jpg, 2023/05/a.jpg, ab/ab12.png no class: such names say nothing about a picture
    cat/a.jpg, b.jpg                                b.jpg has no class, and is counted

Where it is doubtful there is no class. A file of class names decides for the folders that it names.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images.attributes import Attribute
from precompute.inputs.images.files import ImageFile, ImagesError, first_three, is_tar
from precompute.inputs.text_files import normalize_text, read_text

CLASS = "class"

NAME_FILES = ("LOC_synset_mapping.txt", "synset_words.txt", "classes.txt", "words.txt")
"""Files that may contain class names; the first one that names one of the classes is used."""

_NAME_LINE = "each line a folder, a space and its name"

WORDNET = re.compile(r"n\d{8}")

_STORAGE = re.compile(
    r"""(?ix) (?: (?:train(?:ing)?|test(?:ing)?|val(?:id|idation)?|dev|eval|hold[-_ ]?out|extra|unlabell?ed
    |unsup|unsorted|split|fold|part|shard|batch|chunk|volume|subset|folder|new[ ]folder|dir|archive|dcim
    |camera[ ]roll|data(?:sets?)?|files?|images?|imgs?|photos|pictures|jpe?gs?|pngs?|jpegimages|raw|originals?
    |cropped|resized|thumb(?:nail)?s?|masks?|labels?|annotations?|segmentation(?:class|object)?|bbox(?:es)?|rgb
    |depth|cls-loc|ilsvrc|background[-_ ]google|frames|results?|outputs?|pred(?:iction)?s?|anno|misc|metadata
    |ground[-_ ]truth|gt) [AB]?[-_. ]*\d*[-_. ]* )+ (?: (?<=[-_. ]) (?:large|small|full|mini|\d+x\d+) )?
    | (?:imgs?|images?)[-_. ].* | .*[-_. ](?:imgs?|images?|photos|pictures|dataset|anno|annotations)"""
)
"""Names of splits, pieces and kinds of files, with a number or not; flickr30k_images, img_align_celeba."""

_DOMAIN = re.compile(
    r"""(?ix)
    photos? | sketch(?:es)? | art | art[-_ ]paintings? | paintings? | cartoons?
    | drawings? | renditions? | clip[-_ ]?arts? | info[-_ ]?graphs? | quick[-_ ]?draw | real(?:[-_ ]?world)?
    | products? | synthetic | colou?r | gr[ae]yscale | segmented
    | amazon | dslr | webcam | caltech\d* | labelme | pascal | voc\d* | sun\d*"""
)
"""Domains of PACS, DomainNet, Office and VLCS: ways of depicting the same classes, and sources of images."""

_OBJECTS = frozenset(
    [
        "train",
        "mask",
        "masks",
        "label",
        "labels",
        "file",
        "files",
        "folder",
        "part",
        "thumb",
        "photos",
        "pictures",
    ]
)
"""Names of storage that may be classes too: they count as storage where most folders beside them are."""

_ANNOTATIONS = re.compile(
    r"(?i)masks?|labels?|anno|annotations?|segmentation(?:class|object)?|bbox(?:es)?|depth|ground.truth|gt"
)
"""Folders of masks and other annotations beside the images: their files have no class."""

_CAMERA = re.compile(r"[1-9]\d\d[A-Z_]{5}")
"""Folders that cameras make, such as 100CANON."""

_ID_PREFIX = re.compile(r"^(n\d{8}|\d+)[-_. ]+(?=[^\W\d_])")
"""The number before a name, as in 001.Black_footed_Albatross and n02085620-Chihuahua."""


class ClassNames(NamedTuple):
    """Names for classes that are ids."""

    file: str
    names: dict[str, str]
    """First name of each id."""


class FolderClasses(NamedTuple):
    """The classes of files, from their folders."""

    rows: list[Attribute]
    origins: dict[str, str]
    """Origin of the classes in words; empty without classes."""

    note: str
    """Why folders or files have no class; "" if there is nothing to say."""


NO_CLASSES = FolderClasses([], {}, "")


def from_folders(root: Path, files: Sequence[ImageFile]) -> FolderClasses:
    """Returns the classes of the files of one source, with names from files in `root`. Raises ImagesError."""
    counts = Counter(file.relative.rpartition("/")[0] for file in files)
    folders = [folder.split("/") if folder else [] for folder in counts]
    named = read_names(root, {part for parts in folders for part in parts})
    levels = dict(zip(counts, _without_storage(folders, set(named.names) if named else set()), strict=True))
    class_of = {folder: parts[0] for folder, parts in levels.items() if len(parts) == 1}
    masks = {folder for folder in class_of if any(map(_ANNOTATIONS.fullmatch, folder.split("/")[:-1]))}
    masks = masks if len(masks) < len(class_of) else set()
    class_of = {folder: name for folder, name in class_of.items() if folder not in masks}
    ids, count = set(class_of.values()), sum(counts[folder] for folder in class_of)
    if reason := _doubt(ids, count, len(files) - sum(counts[folder] for folder in masks), named):
        seen = sorted(folder for folder in counts if folder)
        note = f"no classes from {len(seen):,} folders ({first_three(seen)}): {reason}"
        return NO_CLASSES._replace(note=note if len(seen) > 1 else "")
    placed = ((file.relative, file.relative.rpartition("/")[0]) for file in files)
    rows = [Attribute(name, CLASS, class_of[folder]) for name, folder in placed if folder in class_of]
    missing = len(files) - count
    note = f"{missing:,} of {len(files):,} files lie in no class folder and have no class" if missing else ""
    return FolderClasses(with_names(rows, named), {CLASS: origin(ids, f"{len(ids):,} folders", named)}, note)


def values(rows: Iterable[Attribute]) -> set[str]:
    """Returns the distinct classes."""
    return {row.value for row in rows if row.attribute == CLASS}


def read_names(root: Path, ids: set[str]) -> ClassNames | None:
    """Returns the names of `ids` from a file in `root`; None if no file has any. Raises ImagesError.

    A line is an id, a space or a tab, and names separated by commas; other lines are ignored.
    """
    for file in NAME_FILES:
        if names := _first_names(root / file, ids) if (root / file).is_file() else {}:
            return ClassNames(file, names)
    return None


def with_names(rows: list[Attribute], names: ClassNames | None) -> list[Attribute]:
    """Returns the rows with every class replaced by its name; of two classes of one name, the id follows.

    Ids that differ only in case or spaces (Cat, cat) are one class: models read both alike.
    """
    rows = _one_spelling(rows, names.names if names else {})
    ids = values(rows)
    readable = {id_: id_ for id_ in ids} | (names.names if names else {})
    if all(_ID_PREFIX.match(name) for name in readable.values()):
        readable = {id_: _ID_PREFIX.sub("", name) for id_, name in readable.items()}
    readable = {id_: " ".join(name.replace("_", " ").split()) or id_ for id_, name in readable.items()}
    counts = Counter(readable[id_] for id_ in ids)
    distinct = {id_: name + (f" ({id_})" if counts[name] > 1 else "") for id_, name in readable.items()}
    return [row._replace(value=distinct[row.value]) if row.attribute == CLASS else row for row in rows]


def _one_spelling(rows: list[Attribute], named: Collection[str]) -> list[Attribute]:
    """Returns the rows with one spelling of each class, the most frequent; letters stay as they are."""
    counts = Counter(row.value for row in rows if row.attribute == CLASS)
    spelling: dict[str, str] = {}
    same = {
        id_: spelling.setdefault(" ".join(id_.split()).casefold(), id_)
        for id_ in sorted(counts, key=lambda id_: (-counts[id_], id_))
        if len(id_) > 1 and id_ not in named
    }
    if len(same) == len(spelling):
        return rows
    return [
        row._replace(value=same.get(row.value, row.value)) if row.attribute == CLASS else row for row in rows
    ]


def origin(ids: set[str], where: str, names: ClassNames | None) -> str:
    """Returns the origin of the classes in words, e.g. 1,000 folders, named by classes.txt."""
    if names:
        missing = len(ids - names.names.keys())
        return f"{where}, named by {names.file}" + (f", {missing:,} of them not in it" if missing else "")
    if all(WORDNET.fullmatch(id_) for id_ in ids):
        return f"{where}: WordNet ids; put {NAME_FILES[0]} beside them for names"
    return where


def is_id(value: str) -> bool:
    """Returns True for a class that is a number or an id, which does not say what its images show."""
    return bool(WORDNET.fullmatch(value)) or not any(character.isalpha() for character in value)


def _without_storage(folders: list[list[str]], named: set[str]) -> list[list[str]]:
    """Returns the parts of each folder's path without those that are a way of storing."""
    ids = [[part for part in parts if WORDNET.fullmatch(part)] for parts in folders]
    folders = [id_ if len(id_) == 1 else parts for id_, parts in zip(ids, folders, strict=True)]
    while True:
        outer = {parts[0] for parts in folders if parts}
        above = {parts[0] for parts in folders if len(parts) > 1} - named
        storage = {name for name in outer - named if _STORAGE.fullmatch(name) or is_tar(name)}
        if above and _is_index(folders):
            inner = [_joined(parts[1:]) if parts and parts[0] in above else parts for parts in folders]
        elif above and (len(outer) == 1 or _says_nothing(above)):  # one folder around all; an index: a/abbey
            stems = {_stem(name) for name in above} - above
            alike = above | {name for name in outer - named if _stem(name) in stems}
            inner = [parts[1:] if parts and parts[0] in alike else parts for parts in folders]
        elif storage and 2 * len(storage) >= len(outer):
            inner = [parts[1:] if parts and parts[0] in storage else parts for parts in folders]
        else:
            inner = [[part for part in parts if part in named or not _is_storage(part)] for parts in folders]
        if inner == folders and above and _are_domains(folders, above):
            inner = [parts[1:] if parts and parts[0] in above else parts for parts in folders]
        if inner == folders:
            return folders
        folders = inner


def _is_index(folders: Iterable[Sequence[str]]) -> bool:
    """Returns True if each folder of folders is the first letter of those below, as in SUN397 and Places."""
    pairs = [(parts[0].lower(), parts[1].lower()) for parts in folders if len(parts) > 1]
    return all(len(outer) == 1 and inner.startswith(outer) for outer, inner in pairs)


def _joined(parts: Sequence[str]) -> list[str]:
    """Returns the parts of a class below an index as one name: apartment_building_indoor."""
    below = [part for part in parts[1:] if not (_is_storage(part) or is_id(part))]
    return ["_".join([*parts[:1], *below])] if parts else []


def _are_domains(folders: Iterable[Sequence[str]], above: Collection[str]) -> bool:
    """Returns True if all folders of folders are domains and most folders below lie in several places."""
    places: dict[str, set[str]] = defaultdict(set)
    for parts in folders:
        if parts:
            places[parts[1] if parts[0] in above and len(parts) > 1 else parts[0]].add(parts[0])
    shared = sum(len(outer) > 1 for outer in places.values())
    return all(map(_DOMAIN.fullmatch, above)) and 2 * shared >= len(places)


@cache
def _is_storage(name: str) -> bool:
    """Returns True for a folder that is no class, whatever the folders beside it are."""
    return is_tar(name) or bool(_STORAGE.fullmatch(name)) and name.lower() not in _OBJECTS


def _doubt(ids: set[str], count: int, total: int, named: ClassNames | None) -> str:
    """Returns why the folders `ids`, with `count` of `total` files, are no classes; "" if they are."""
    unnamed = ids - named.names.keys() if named else ids
    if 2 * len(unnamed) >= len(ids) and _says_nothing(unnamed):
        return f"their names say nothing; name them in classes.txt ({_NAME_LINE}), or give --metadata"
    if len(ids) < 2 or 2 * count < total:
        where = f"{count:,} of {total:,} files lie in a class folder, in {len(ids):,} of them"
        return f"{where}; give classes in --metadata, or the folder right above the class folders"
    return ""


def _says_nothing(names: Collection[str]) -> bool:
    """Returns True if most names are numbers, letters, dates or hashes, or differ in a number alone."""
    stems = Counter(map(_stem, names))
    empty = [name for name in names if is_id(name) and not WORDNET.fullmatch(name) or len(name) == 1]
    empty += [name for name in names if _CAMERA.fullmatch(name) or _shares_stem(name, stems)]
    plain = {re.sub(r"[\W_]", "", name).lower() for name in names}
    is_hash = (
        all(re.fullmatch("[0-9a-f]+", name) for name in plain) and len({len(name) for name in plain}) == 1
    )
    few_letters = all(len(name) < 3 for name in names)
    return bool(names) and (
        2 * len(set(empty)) >= len(names) or few_letters or is_hash and any(map(_has_digit, plain))
    )


def _has_digit(name: str) -> bool:
    """Returns True for a name with a digit."""
    return any(character.isdigit() for character in name)


def _shares_stem(name: str, stems: Counter[str]) -> bool:
    """Returns True for one of several names that differ in a number or a split alone: scene1, scene2."""
    return stems[_stem(name)] > 1 and not WORDNET.match(name) and _stem(name) != name


@cache
def _stem(name: str) -> str:
    """Returns a name without numbers, versions and splits: cars for cars_train."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?i)(?<![a-z])v?\d+", " ", name))
    kept = " ".join(word for word in words if not _STORAGE.fullmatch(word))
    return kept if kept and kept != " ".join(words) or _has_digit(name) else name


def _first_names(path: Path, ids: set[str]) -> dict[str, str]:
    """Returns the first name of each of `ids` in one file. Raises ImagesError."""
    names: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "the class names in", ImagesError).split("\n"), start=1):
        id_, *rest = normalize_text(line).split(maxsplit=1)[:2] or [""]
        name = rest[0].split(",")[0].strip() if rest else ""
        if id_ in ids and name and names.setdefault(id_, name) != name:
            raise ImagesError(
                f"{path}, line {number}: {id_} is {name!r}, but was {names[id_]!r} above. Keep one line."
            )
    return names
