"""Many tars as one set of images: which tars a pattern means, and what all of them hold together."""

import glob
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from precompute.inputs.images import class_folders
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
from precompute.inputs.images.tar_index import Stated, TarIndex

MAX_VALUES = 50_000
"""A field of .json members with more values than this is a name or a text (url, key, hash), no attribute."""

Indexes = Callable[[list[ImageFile]], Iterable[TarIndex]]
"""What lies in each of some tars, in their order."""


class Shards(NamedTuple):
    """The tars of one set."""

    root: Path
    """The folder that their names are relative to."""

    name: str
    tars: list[ImageFile]
    others: dict[str, int]
    """Number of files beside them, by extension."""


def is_pattern(source: Path) -> bool:
    """Whether a path that leads nowhere stands for several, as shards/*.tar or shards/{000..128}.tar do."""
    return not os.path.lexists(source) and bool(re.search(r"[*?\[{]", str(source)))


def matching(pattern: Path) -> Shards:
    """The tars that a pattern means. Raises ImagesError if a part of it means none, or something else."""
    wanted = list(_spelled_out(str(pattern)))
    found = {text: sorted(glob.glob(text, recursive=True)) for text in wanted}
    missing = [text for text in wanted if not found[text]]
    if missing:
        raise ImagesError(
            f"--images {pattern}: nothing is called {first_three(missing)}. "
            "Check the path; fetch what is missing."
        )
    paths = sorted({path for hits in found.values() for path in hits})
    if wrong := [path for path in paths if not is_tar(path)]:
        raise ImagesError(
            f"--images {pattern} means {wrong[0]} too, which is no .tar. Give a pattern of tars, or a folder."
        )
    root = Path(os.path.dirname(re.split(r"[*?\[{]", str(pattern))[0]) or ".")
    tars = [
        ImageFile(Path(path), portable(os.path.relpath(path, root).replace(os.sep, "/"))) for path in paths
    ]
    return Shards(root, root.resolve().name, in_order_of_names(tars), {})


def _spelled_out(pattern: str) -> Iterator[str]:
    """The pattern without braces: {a,b} and {08..11} as a shell would write them out."""
    braces = re.search(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}", pattern)
    if not braces:
        yield pattern
        return
    first, last, either = braces.groups()
    if either is None:
        ways = [f"{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]
    else:
        ways = either.split(",")
    for way in ways:
        yield from _spelled_out(pattern[: braces.start()] + way + pattern[braces.end() :])


def from_tars(shards: Shards, indexes: Indexes, *, captions: bool) -> SourceListing:
    """The images of all tars, called TAR/MEMBER. Raises ImagesError if there is none."""
    files: list[ImageFile] = []
    failed: list[Failed] = []
    unread: list[Failed] = []
    others: Counter[str] = Counter(shards.others)
    stated, left_out = _Stated(), 0
    for tar, found in zip(shards.tars, indexes(shards.tars), strict=True):
        names = {image.name: f"{tar.relative}/{image.name}" for image in found.images}
        files += [ImageFile(tar.path, names[name], offset, size) for name, offset, size in found.images]
        failed += _within(tar, found.failed)
        unread += _within(tar, found.unread)
        others.update(found.others)
        stated.add(found.stated, names)
        left_out += 0 if captions else found.captions
    _check_any(shards, files, failed, others)
    rows, origins = stated.settled(shards.root)
    notes = tuple(_notes(failed, unread, sorted(stated.dropped), left_out))
    return SourceListing(
        shards.name, in_order_of_names(files), rows, origins, failed, most_first(others), notes
    )


class _Stated:
    """What sidecars say over all tars: each value held once, fields of too many values let go."""

    def __init__(self) -> None:
        self._rows: list[Attribute] = []
        self._values: dict[str, dict[str, str]] = defaultdict(dict)
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self.dropped: set[str] = set()

    def add(self, stated: Iterable[Stated], names: dict[str, str]) -> None:
        """Take in one tar; `names` are those of its images in the bundle."""
        for name, attribute, value, kind in stated:
            if attribute not in self.dropped:
                values = self._values[attribute]
                self._rows.append(Attribute(names[name], attribute, values.setdefault(value, value)))
                self._kinds[attribute].add(kind)
                if kind == ".json" and attribute != CAPTION and len(values) > MAX_VALUES:
                    self.dropped.add(attribute)
                    values.clear()

    def settled(self, root: Path) -> tuple[list[Attribute], dict[str, str]]:
        """What is kept, with the names of classes that `root` gives; and where each attribute is from."""
        rows = (
            [row for row in self._rows if row.attribute not in self.dropped] if self.dropped else self._rows
        )
        origins = {
            attribute: f"{' and '.join(sorted(kinds))} members"
            for attribute, kinds in sorted(self._kinds.items())
            if attribute not in self.dropped
        }
        if ids := class_folders.values(rows):
            names = class_folders.read_names(root, ids)
            origins[class_folders.CLASS] = class_folders.origin(ids, origins[class_folders.CLASS], names)
            rows = class_folders.named(rows, names) if names else rows
        return rows, origins


def _within(tar: ImageFile, members: Iterable[tuple[str, str]]) -> Iterator[Failed]:
    """Members of a tar, or the tar itself where the name is empty."""
    return (Failed(f"{tar.relative}/{name}" if name else tar.relative, reason) for name, reason in members)


def _check_any(
    shards: Shards, files: list[ImageFile], failed: list[Failed], others: Mapping[str, int]
) -> None:
    """Raise ImagesError unless there are images."""
    if files:
        return
    if failed:
        why = f"{failed[0].relative}: {failed[0].reason}"
    else:
        why = other_kinds(others) if others else "they are empty"
    raise ImagesError(
        f"no images in the tars of {shards.root} ({why}). "
        "Give tars whose members are called KEY.jpg, KEY.png, ..."
    )


def _notes(failed: list[Failed], unread: list[Failed], dropped: list[str], left_out: int) -> Iterator[str]:
    """What a person should know of the tars, one phrase each."""
    if damaged := [one for one in failed if is_tar(one.relative)]:
        first = damaged[0]
        yield f"damaged tars: {len(damaged):,}, the first {first.relative}: {first.reason}"
    if unread:
        first = unread[0]
        yield f"sidecars not read: {len(unread):,}, the first {first.relative}: {first.reason}"
    if dropped:
        yield f"over {MAX_VALUES:,} values, so left out: {', '.join(dropped)}"
    if left_out:
        yield f"captions left out: {left_out:,} (--captions keeps them)"
