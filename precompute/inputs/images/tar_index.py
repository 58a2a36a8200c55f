"""The index of a tar of images in WebDataset format: the offset of each image, and its sidecar values.

    n01440764_18.jpg  n01440764_18.cls  n01440764_18.json  n01440764_18.txt

A sidecar belongs to the image of its own name before the extension; where there is none, to the one image
whose name continues its own, or the other way round, after a dot: 0.cls and 0.jpg.png, 0.png and 0.meta.json.
Nothing is unpacked: an index contains offsets and short values, and images are read at their offsets.
"""

import json
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from sys import intern
from typing import BinaryIO, NamedTuple

from precompute.inputs.images.class_folders import CLASS
from precompute.inputs.images.files import EXTENSIONS, ImagesError, first_three, portable
from precompute.inputs.images.sidecars import CAPTION, KINDS, MAX_SIDECAR_BYTES, SidecarError, parse_sidecar

_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"\x04\x22\x4d\x18": ("lz4", "unlz4"),
}
"""First bytes of a compressed file -> name of the format, command that decompresses it."""


class Member(NamedTuple):
    """One image of a tar."""

    name: str
    offset: int
    size: int


class SidecarValue(NamedTuple):
    """One attribute value of an image, from a sidecar."""

    name: str
    attribute: str
    value: str
    kind: str
    """Extension of the sidecar."""


class TarIndex(NamedTuple):
    """The content of one tar. Names are those of members, NFC, without a leading / or ./"""

    images: list[Member]
    values: list[SidecarValue]

    failed: list[tuple[str, str]]
    """Name and reason of images without bytes of their own; the name is "" for a damaged place of the tar."""

    unread: list[tuple[str, str]]
    """Name and reason of unusable sidecars."""

    others: dict[str, int]
    """Number of members of every other extension."""

    captions: int
    """Number of dropped captions."""


Sidecars = dict[str, dict[str, list[tuple[str, str]]]]
"""Attributes and values of sidecars, by name without extension, then by name."""


def index(path: Path, *, captions: bool = False, advance: Callable[[int], None] = lambda _: None) -> TarIndex:
    """Returns the index of one tar from its headers and sidecars; `advance` is called with counts of bytes.

    Members before a cut or damaged place are used. Raises ImagesError for a compressed or unreadable tar, and
    for repeated names or sidecars.
    """
    result = TarIndex([], [], [], [], {}, 0)
    sidecars: Sidecars = defaultdict(dict)
    others: Counter[str] = Counter()
    try:
        with path.open("rb") as file:
            _check_plain(path, file)
            for member in _members(file, result.failed, advance):
                name = _name(member)
                kind = _kind(name)
                if kind in EXTENSIONS:
                    _add_image(member, name, result)
                elif kind in KINDS:
                    if name in sidecars[_stem(name)]:
                        raise ImagesError(
                            f"{path} holds {name} twice. Pack the tar again with each name once."
                        )
                    sidecars[_stem(name)][name] = _read(file, member, name, kind, result.unread)
                elif name:
                    others[kind] += 1
    except OSError as error:
        raise ImagesError(
            f"cannot read {path}: {error.strerror}. Make it readable, or leave it out."
        ) from error
    _check_names(path, result)
    dropped = 0 if captions else _drop_captions(sidecars)
    by_image = _by_image(path, result.images, sidecars)
    others.update(
        _kind(name) for by_name in sidecars.values() for name in by_name if name not in by_image.used
    )
    result.values.extend(_image_values(by_image.sidecars))
    return result._replace(others=dict(others), captions=dropped)


def index_text(tar_index: TarIndex) -> str:
    """Returns an index as JSON."""
    return json.dumps(tar_index)


def index_from(text: str) -> TarIndex:
    """Returns the index from the JSON of `index_text`."""
    images, values, failed, unread, others, captions = json.loads(text)
    return TarIndex(
        [Member(*member) for member in images],
        [SidecarValue(*value) for value in values],
        [(name, reason) for name, reason in failed],
        [(name, reason) for name, reason in unread],
        others,
        captions,
    )


def _check_plain(path: Path, file: BinaryIO) -> None:
    """Raises ImagesError for a compressed tar."""
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
    """Yields the headers of all members up to the end or to a damaged place, which is added to `failed`."""
    end = 0
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None and tar.offset > end:
                tar.members.clear()  # type: ignore[attr-defined]  # else it keeps every header
                yield member
                advance(tar.offset - end)
                end = tar.offset
    except (tarfile.TarError, ValueError, OverflowError):
        pass  # _end_error gives a better reason, from the bytes at `end`
    if reason := _end_error(file, end):
        failed.append(("", reason))


def _end_error(file: BinaryIO, end: int) -> str:
    """Returns the reason why a tar ends at byte `end` without its end mark; "" if the mark follows."""
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
    """Returns the name of a member as stored in the bundle; "" for folders and hidden files."""
    parts = [part for part in member.name.split("/") if part not in ("", ".")]
    if member.isdir() or any(part.startswith(".") and part != ".." for part in parts):
        return ""
    return portable("/".join(parts))


def _add_image(member: tarfile.TarInfo, name: str, result: TarIndex) -> None:
    if member.issym() or member.islnk():
        result.failed.append(
            (name, "a link inside the tar; pack it with tar --dereference --hard-dereference")
        )
    elif member.issparse() or not member.isreg():
        result.failed.append((name, "not stored as a plain file; pack the tar without --sparse"))
    else:
        result.images.append(Member(name, member.offset_data, member.size))


def _read(
    file: BinaryIO, member: tarfile.TarInfo, name: str, kind: str, unread: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Returns attributes and values of one sidecar; an unusable one gives none and is added to `unread`."""
    try:
        if not member.isreg() or member.issparse():
            raise SidecarError("not stored as a plain file")
        if member.size > MAX_SIDECAR_BYTES:
            raise SidecarError(f"{member.size:,} bytes, more than the {MAX_SIDECAR_BYTES:,} allowed")
        file.seek(member.offset_data)
        data = file.read(member.size)
        if len(data) < member.size:
            raise SidecarError("cut off")
        return [(intern(attribute), value) for attribute, value in parse_sidecar(kind, data)]
    except SidecarError as error:
        unread.append((name, str(error)))
        return []


def _stem(name: str) -> str:
    """Returns the name of a member without its extension."""
    return str(PurePosixPath(name).with_suffix(""))


def _kind(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


class _Assignment(NamedTuple):
    """Which sidecars belong to which image."""

    sidecars: dict[str, dict[str, list[tuple[str, str]]]]
    """Attributes and values, by image and extension."""

    used: set[str]
    """Names of the sidecars that belong to an image."""


def _by_image(path: Path, images: list[Member], sidecars: Sidecars) -> _Assignment:
    """Assigns sidecars to images. Raises ImagesError if it is not clear which image a sidecar is about."""
    by_stem: dict[str, list[str]] = defaultdict(list)
    by_start: dict[str, list[str]] = defaultdict(list)
    for image in images:
        by_stem[_stem(image.name)].append(image.name)
        for start in _starts(_stem(image.name)):
            by_start[start].append(image.name)
    assigned = _Assignment({image.name: {} for image in images}, set())
    for stem in sorted(sidecars):
        owners = by_stem.get(stem) or by_start.get(stem) or _first_of(by_stem, _starts(stem))
        if len(owners) > 1:
            raise ImagesError(
                f"{path}: {min(sidecars[stem])} could be about {first_three(sorted(owners))}. Name each "
                "sidecar as its image, with another extension."
            )
        for name, values in sidecars[stem].items():
            for owner in owners:
                if (kind := _kind(name)) in assigned.sidecars[owner]:
                    raise ImagesError(
                        f"{path}: {owner} has two {kind} members, the second being {name}. Keep one of them."
                    )
                assigned.sidecars[owner][kind] = values
                assigned.used.add(name)
    return assigned


def _starts(stem: str) -> list[str]:
    """Returns what stands before each dot of the last part of a name, the longest first."""
    folder, slash, last = stem.rpartition("/")
    parts = last.split(".")
    return [folder + slash + ".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]


def _first_of(by_stem: dict[str, list[str]], starts: list[str]) -> list[str]:
    return next((by_stem[start] for start in starts if start in by_stem), [])


def _drop_captions(sidecars: Sidecars) -> int:
    """Removes captions from all sidecars; returns their number."""
    before = after = 0
    for by_name in sidecars.values():
        for name, values in by_name.items():
            by_name[name] = [pair for pair in values if pair[0] != CAPTION]
            before, after = before + len(values), after + len(by_name[name])
    return before - after


def _check_names(path: Path, tar_index: TarIndex) -> None:
    """Raises ImagesError if two images have the same name."""
    failed_names = [name for name, _ in tar_index.failed if name]
    counts = Counter([member.name for member in tar_index.images] + failed_names)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise ImagesError(
            f"{path} holds {len(repeated):,} names more than once: {first_three(repeated)}. "
            "Which of them is meant cannot be told; pack the tar again with each name once."
        )


def _image_values(by_image: dict[str, dict[str, list[tuple[str, str]]]]) -> Iterator[SidecarValue]:
    """Yields the sidecar values of each image. A .cls overrides the class of a .json."""
    strings: dict[str, str] = {}  # one string object for equal values, to save memory
    for image, by_kind in by_image.items():
        kinds: dict[tuple[str, str], str] = {}
        for kind in sorted(by_kind):
            for attribute, value in by_kind[kind]:
                if kind == ".cls" or attribute != CLASS or not by_kind.get(".cls"):
                    kinds.setdefault((attribute, strings.setdefault(value, value)), kind)
        for (attribute, value), kind in kinds.items():
            yield SidecarValue(image, attribute, value, kind)
