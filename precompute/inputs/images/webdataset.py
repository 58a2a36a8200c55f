"""Many tars as one image set: the tars of a pattern, and the images and attributes of all of them."""

import glob
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images import class_folders as classes
from precompute.inputs.images.attributes import Attribute
from precompute.inputs.images.dataset import SourceListing
from precompute.inputs.images.files import (
    Failed,
    ImageFile,
    ImagesError,
    first_three,
    in_order_of_names,
    is_tar,
    most_first,
    other_kinds,
    portable,
)
from precompute.inputs.images.sidecars import CAPTION
from precompute.inputs.images.tar_index import SidecarValue, TarIndex

MAX_VALUES = 50_000
"""Maximum number of values of an attribute; a .json field with more is a name or a text (url, key, hash)."""

IndexTars = Callable[[list[ImageFile]], Iterable[TarIndex]]
"""Function that returns the indexes of tars, in their order."""


class TarSet(NamedTuple):
    """The tars of one image set."""

    root: Path
    """Folder of the tars; their names are relative to it."""

    name: str
    tars: list[ImageFile]
    others: dict[str, int]
    """Number of files beside the tars, by extension."""


def is_pattern(source: Path) -> bool:
    """Returns True for a path with wildcards that is no file itself: tars/*.tar, tars/{000..128}.tar."""
    return not os.path.lexists(source) and bool(re.search(r"[*?\[{]", str(source)))


def match_pattern(pattern: Path) -> TarSet:
    """Returns the tars of a pattern. Raises ImagesError if a part matches nothing or another file."""
    # A folder that exists is meant as it is written: only what follows it is a pattern.
    root = next(path for path in pattern.parents if os.path.isdir(path) or path == path.parent)
    globs = list(_expand_braces(str(pattern.relative_to(root))))
    matches = {text: sorted(glob.glob(text, root_dir=root, recursive=True)) for text in globs}
    missing = [str(root / text) for text in globs if not matches[text]]
    if missing:
        raise ImagesError(
            f"--images {pattern}: nothing is called {first_three(missing)}. "
            "Check the path; fetch what is missing."
        )
    paths = sorted({path for hits in matches.values() for path in hits})
    if not_tars := [path for path in paths if not is_tar(path)]:
        raise ImagesError(
            f"--images {pattern} means {root / not_tars[0]} too, which is no .tar. Give a pattern of "
            "tars, or a folder."
        )
    tars = [ImageFile(root / path, portable(path.replace(os.sep, "/"))) for path in paths]
    return TarSet(root, portable(root.resolve().name), in_order_of_names(tars), {})


def _expand_braces(pattern: str) -> Iterator[str]:
    """Yields the patterns without braces: {a,b} and {08..11} are expanded as in a shell."""
    braces = re.search(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}", pattern)
    if not braces:
        yield pattern
        return
    first, last, choices = braces.groups()
    if choices is None:
        alternatives = [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    else:
        alternatives = choices.split(",")
    for alternative in alternatives:
        yield from _expand_braces(pattern[: braces.start()] + alternative + pattern[braces.end() :])


def from_tars(
    tar_set: TarSet, indexes: IndexTars, *, captions: bool, class_folders: bool = True
) -> SourceListing:
    """Returns the images of all tars, named TAR/MEMBER. Raises ImagesError if there is none.

    Folders inside tars are classes as in a folder, unless sidecars give classes.
    """
    files: list[ImageFile] = []
    failed: list[Failed] = []
    unread: list[Failed] = []
    others: Counter[str] = Counter(tar_set.others)
    attributes, dropped_captions = _AttributeCollector(), 0
    for tar, tar_index in zip(tar_set.tars, indexes(tar_set.tars), strict=True):
        names = {image.name: f"{tar.relative}/{image.name}" for image in tar_index.images}
        files += [ImageFile(tar.path, names[name], offset, size) for name, offset, size in tar_index.images]
        failed += _with_tar_name(tar, tar_index.failed)
        unread += _with_tar_name(tar, tar_index.unread)
        others.update(tar_index.others)
        attributes.add(tar_index.values, names)
        dropped_captions += 0 if captions else tar_index.captions
    _check_any(tar_set, files, failed, others)
    rows, origins = attributes.result(tar_set.root)
    notes = tuple(_notes(failed, unread, sorted(attributes.dropped), dropped_captions))
    files, kinds = in_order_of_names(files), most_first(others)
    use_folders = class_folders and classes.CLASS not in origins
    found = classes.from_folders(tar_set.root, files) if use_folders else classes.NO_CLASSES
    rows, origins = rows + found.rows, found.origins | origins
    return SourceListing(tar_set.name, files, rows, origins, failed, kinds, notes, found.note)


class _AttributeCollector:
    """Collects the sidecar values of all tars: stores equal values once, drops fields of too many values."""

    def __init__(self) -> None:
        self._rows: list[Attribute] = []
        self._values: dict[str, dict[str, str]] = defaultdict(dict)
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self.dropped: set[str] = set()

    def add(self, sidecar_values: Iterable[SidecarValue], names: dict[str, str]) -> None:
        """Adds the values of one tar; `names` maps members to image names in the bundle."""
        for name, attribute, value, kind in sidecar_values:
            if attribute not in self.dropped:
                values = self._values[attribute]
                self._rows.append(Attribute(names[name], attribute, values.setdefault(value, value)))
                self._kinds[attribute].add(kind)
                if kind == ".json" and attribute != CAPTION and len(values) > MAX_VALUES:
                    self.dropped.add(attribute)
                    values.clear()

    def result(self, root: Path) -> tuple[list[Attribute], dict[str, str]]:
        """Returns the attributes, with class names from files in `root`, and the origin of each attribute."""
        rows = (
            [row for row in self._rows if row.attribute not in self.dropped] if self.dropped else self._rows
        )
        origins = {
            attribute: f"{' and '.join(sorted(kinds))} members"
            for attribute, kinds in sorted(self._kinds.items())
            if attribute not in self.dropped
        }
        if ids := classes.values(rows):
            names = classes.read_names(root, ids)
            origins[classes.CLASS] = classes.origin(ids, origins[classes.CLASS], names)
            rows = classes.with_names(rows, names)
        return rows, origins


def _with_tar_name(tar: ImageFile, members: Iterable[tuple[str, str]]) -> Iterator[Failed]:
    """Returns failed members of a tar; an empty name stands for the tar itself."""
    return (Failed(f"{tar.relative}/{name}" if name else tar.relative, reason) for name, reason in members)


def _check_any(
    tar_set: TarSet, files: list[ImageFile], failed: list[Failed], others: Mapping[str, int]
) -> None:
    """Raises ImagesError if there are no images."""
    if files:
        return
    if failed:
        reason = f"{failed[0].relative}: {failed[0].reason}"
    else:
        reason = other_kinds(others) if others else "they are empty"
    raise ImagesError(
        f"no images in the tars of {tar_set.root} ({reason}). "
        "Give tars whose members are called KEY.jpg, KEY.png, ..."
    )


def _notes(
    failed: list[Failed], unread: list[Failed], dropped: list[str], dropped_captions: int
) -> Iterator[str]:
    """Yields notes on the tars for the user, one phrase each."""
    if damaged := [file for file in failed if is_tar(file.relative)]:
        first = damaged[0]
        yield f"damaged tars: {len(damaged):,}, the first {first.relative}: {first.reason}"
    if unread:
        first = unread[0]
        yield f"sidecars not read: {len(unread):,}, the first {first.relative}: {first.reason}"
    if dropped:
        yield f"over {MAX_VALUES:,} values, so left out: {', '.join(dropped)}"
    if dropped_captions:
        yield f"captions left out: {dropped_captions:,} (--captions keeps them)"
