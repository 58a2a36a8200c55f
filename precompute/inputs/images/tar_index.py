"""What lies in a tar of images, as WebDataset packs them: where each begins, and what is said beside it.

    n01440764_18.jpg  n01440764_18.cls  n01440764_18.json  n01440764_18.txt

Members of one key (their name up to the first dot after the last slash) belong together. Nothing is unpacked:
an index holds places and short values, and images are read from their places.
"""

import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from sys import intern
from typing import BinaryIO, NamedTuple

from precompute.inputs.images.class_folders import CLASS
from precompute.inputs.images.files import (
    EXTENSIONS,
    ImagesError,
    first_three,
    portable,
)
from precompute.inputs.images.sidecars import (
    CAPTION,
    KINDS,
    LARGEST,
    SidecarError,
    stated,
)

_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"\x04\x22\x4d\x18": ("lz4", "unlz4"),
}
"""How a compressed file begins; what made it, and what undoes it."""


class Member(NamedTuple):
    """One image of a tar."""

    name: str
    offset: int
    size: int


class Stated(NamedTuple):
    """One value that a sidecar gives an image."""

    name: str
    attribute: str
    value: str
    kind: str
    """Extension of the sidecar."""


class TarIndex(NamedTuple):
    """What lies in one tar. Names are those of members, NFC, without a leading / or ./"""

    images: list[Member]
    stated: list[Stated]

    failed: list[tuple[str, str]]
    """Name and reason of images without bytes of their own; "" for what a damaged tar no longer tells."""

    unread: list[tuple[str, str]]
    """Name and reason of sidecars that cannot be used."""

    others: dict[str, int]
    """Number of members of every other extension."""

    captions: int
    """Number of captions that were left out."""


Sidecars = dict[str, dict[str, list[tuple[str, str]]]]
"""Attributes and values that sidecars give, by key and extension."""


def index(path: Path, *, captions: bool = False, advance: Callable[[int], None] = lambda _: None) -> TarIndex:
    """Read the headers and sidecars of one tar; `advance` is told of every byte gone by.

    What lies before a cut or damaged place is used. Raises ImagesError for a compressed tar, one that cannot
    be read, and names or sidecars that stand twice.
    """
    found = TarIndex([], [], [], [], {}, 0)
    sidecars: Sidecars = defaultdict(dict)
    others: Counter[str] = Counter()
    try:
        with path.open("rb") as file:
            _check_plain(path, file)
            for member in _members(file, found.failed, advance):
                name = _name(member)
                kind = PurePosixPath(name).suffix.lower()
                if kind in EXTENSIONS:
                    _take_image(member, name, found)
                elif kind in KINDS:
                    _take_sidecar(path, name, sidecars, _read(file, member, name, kind, found.unread))
                elif name:
                    others[kind] += 1
    except OSError as error:
        raise ImagesError(
            f"cannot read {path}: {error.strerror}. Make it readable, or leave it out."
        ) from error
    _check_names(path, found)
    left_out = 0 if captions else _without_captions(sidecars)
    found.stated.extend(_joined(found.images, sidecars))
    return found._replace(others=dict(others), captions=left_out)


def index_text(found: TarIndex) -> str:
    """An index as JSON, to be kept."""
    return json.dumps(found)


def index_from(text: str) -> TarIndex:
    """The index that `index_text` has written."""
    places, values, failed, unread, others, captions = json.loads(text)
    return TarIndex(
        [Member(*place) for place in places],
        [Stated(*value) for value in values],
        [(name, reason) for name, reason in failed],
        [(name, reason) for name, reason in unread],
        others,
        captions,
    )


def _check_plain(path: Path, file: BinaryIO) -> None:
    """Raise ImagesError for a compressed tar."""
    start = file.read(6)
    file.seek(0)
    for magic, (kind, tool) in _PACKED.items():
        if start.startswith(magic):
            raise ImagesError(
                f"{path} is compressed ({kind}): no image in it could be read without all before it. "
                f"Decompress it, without unpacking the tar ({tool}), and give that."
            )


def _members(
    file: BinaryIO, failed: list[tuple[str, str]], advance: Callable[[int], None]
) -> Iterator[tarfile.TarInfo]:
    """Headers of all members up to the end, or to a damaged place, which goes to `failed`."""
    end = 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None and tar.offset > end:
                tar.members.clear()  # type: ignore[attr-defined]  # it would keep every header
                yield member
                advance(tar.offset - end)
                end = tar.offset
    except (tarfile.TarError, ValueError, OverflowError):
        pass  # what lies at `end` says it better
    if reason := _ending(file, end):
        failed.append(("", reason))


def _ending(file: BinaryIO, end: int) -> str:
    """What is wrong with a tar whose members end at byte `end`; nothing if its end mark follows."""
    size = file.seek(0, 2)
    file.seek(min(end, size))
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) == tarfile.BLOCKSIZE and not any(block):
        return ""
    if not end:
        return "not a tar" if size else "empty file"
    if len(block) == tarfile.BLOCKSIZE:
        return f"damaged at byte {end:,}; images after it are missing. Fetch it again"
    return f"cut off at byte {size:,}; images after it are missing. Fetch it again"


def _name(member: tarfile.TarInfo) -> str:
    """The name of a file as it is stored; "" for folders, and for hidden files, which are passed over."""
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.isdir() or any(part.startswith(".") and part != ".." for part in parts):
        return ""
    return portable("/".join(parts))


def _take_image(member: tarfile.TarInfo, name: str, found: TarIndex) -> None:
    if member.issym() or member.islnk():
        found.failed.append(
            (name, "a link inside the tar; pack it with tar --dereference --hard-dereference")
        )
    elif member.issparse() or not member.isreg():
        found.failed.append((name, "not stored as a plain file; pack the tar without --sparse"))
    else:
        found.images.append(Member(name, member.offset_data, member.size))


def _read(
    file: BinaryIO, member: tarfile.TarInfo, name: str, kind: str, unread: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Attributes and values of one sidecar; one that cannot be used says nothing and goes to `unread`."""
    try:
        if not member.isreg() or member.issparse():
            raise SidecarError("not stored as a plain file")
        if member.size > LARGEST:
            raise SidecarError(f"{member.size:,} bytes, more than the {LARGEST:,} allowed")
        file.seek(member.offset_data)
        data = file.read(member.size)
        if len(data) < member.size:
            raise SidecarError("cut off")
        return [(intern(attribute), value) for attribute, value in stated(kind, data)]
    except SidecarError as error:
        unread.append((name, str(error)))
        return []


def _take_sidecar(path: Path, name: str, sidecars: Sidecars, said: list[tuple[str, str]]) -> None:
    """Keep what a sidecar says. Raises ImagesError if its key has another of its kind."""
    kind, by_kind = PurePosixPath(name).suffix.lower(), sidecars[_key(name)]
    if kind in by_kind:
        raise ImagesError(
            f"{path}: the key {_key(name)} has two {kind} members, the second being {name}. Name members "
            "KEY.EXTENSION, each once and with no other dot: a key ends at the first."
        )
    by_kind[kind] = said


def _key(name: str) -> str:
    """What the members of one sample share."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.partition(".")[0]


def _without_captions(sidecars: Sidecars) -> int:
    """Take captions out of all sidecars; return how many there were."""
    before = after = 0
    for by_kind in sidecars.values():
        for kind, said in by_kind.items():
            by_kind[kind] = [pair for pair in said if pair[0] != CAPTION]
            before, after = before + len(said), after + len(by_kind[kind])
    return before - after


def _check_names(path: Path, found: TarIndex) -> None:
    """Raise ImagesError if two images have one name."""
    names = Counter([member.name for member in found.images] + [name for name, _ in found.failed if name])
    twice = sorted(name for name, times in names.items() if times > 1)
    if twice:
        raise ImagesError(
            f"{path} holds {len(twice):,} names more than once: {first_three(twice)}. "
            "Which of them is meant cannot be told; pack the tar anew with each name once."
        )


def _joined(images: list[Member], sidecars: Sidecars) -> Iterator[Stated]:
    """What the sidecars say of each image. A .cls names the class, whatever a .json says."""
    values: dict[str, str] = {}  # one string for each value, however many images have it
    for member in images:
        by_kind = sidecars.get(_key(member.name), {})
        said: dict[tuple[str, str], str] = {}
        for kind in sorted(by_kind):
            for attribute, value in by_kind[kind]:
                if kind == ".cls" or attribute != CLASS or not by_kind.get(".cls"):
                    said.setdefault((attribute, values.setdefault(value, value)), kind)
        yield from (Stated(member.name, attribute, value, kind) for (attribute, value), kind in said.items())
