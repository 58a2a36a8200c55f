"""Image files in a folder: all of them, in one order whatever the file system.

Opens no file: what is listed here may still turn out to be no image. A member of a tar is a file too.
"""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from db.errors import UserError

Item = TypeVar("Item")

READABLE = "png apng jpg jpeg jpe jfif mpo webp avif bmp dib gif tif tiff ppm pgm pbm pnm jp2"

# Listed though Pillow cannot read them: a phone's photos must turn up as failures, not vanish.
UNREADABLE = "heic heif jxl"

EXTENSIONS = frozenset("." + kind for kind in f"{READABLE} {UNREADABLE}".split())

# Compressed ones are found too, to be refused when they are opened: they must not vanish.
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz4")


class ImagesError(UserError):
    """The folder, the attribute file or a file in it cannot be used; says what to do."""


class ImageFile(NamedTuple):
    """One file that may be an image."""

    path: Path
    """Where to open it."""

    relative: str
    """Path relative to the folder, NFC, with forward slashes: the name of the file in the bundle."""

    offset: int | None = None
    """Where in `path`, a tar, the bytes begin; None where all of `path` is the image."""

    size: int = 0
    """Number of bytes of a member of a tar."""

    @property
    def where(self) -> str:
        """What to call it in a message."""
        return str(self.path) if self.offset is None else f"{self.relative} in {self.path}"


class Failed(NamedTuple):
    """A file that is not a usable image."""

    relative: str
    reason: str


class FolderListing(NamedTuple):
    """What lies in a folder."""

    files: list[ImageFile]
    """Files with an image extension, sorted by `relative`."""

    others: dict[str, int]
    """Number of files of every other extension ("" for none), most frequent first."""

    tars: list[ImageFile]
    """Tar files, sorted by `relative`; opened only where there are no files."""


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """`count` of the items, spread evenly over them; all where there are no more."""
    if count >= len(items):
        return list(items)
    return [items[place] for place in np.linspace(0, len(items) - 1, count).round().astype(int)]


def check_any(folder: Path, found: FolderListing) -> None:
    """Raise ImagesError unless there are images."""
    if not found.files:
        held = other_kinds(found.others) if found.others else "it is empty"
        raise ImagesError(
            f"no images in {folder} ({held}). Give a folder of PNG, JPEG, ... or .tar files, or a .csv."
        )


def list_folder(folder: Path, advance: Callable[[int], None] = lambda _: None) -> FolderListing:
    """What lies under `folder`; hidden files and folders are passed over, links are followed.

    `advance` is told of every file. Raises ImagesError if it is no folder that can be read.
    """
    _check_folder(folder)

    files: list[ImageFile] = []
    tars: list[ImageFile] = []
    others: Counter[str] = Counter()
    for path, relative in _walk(folder):
        advance(1)
        kind = os.path.splitext(relative)[1].lower()
        if kind in EXTENSIONS:
            files.append(ImageFile(Path(path), relative))
        elif is_tar(relative):
            tars.append(ImageFile(Path(path), relative))
        else:
            others[kind] += 1
    return FolderListing(in_order_of_names(files), most_first(others), in_order_of_names(tars))


def first_three(names: Sequence[str]) -> str:
    """The first names of a list, for a message, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def is_tar(name: str) -> bool:
    """Whether a file is called a tar, packed or not."""
    return name.lower().endswith(TARS)


def in_order_of_names(files: list[ImageFile]) -> list[ImageFile]:
    """Sorted by `relative`, the same on every machine. Raises ImagesError for two of one name."""
    # Sorting by code point is sorting by UTF-8 bytes.
    files = sorted(files, key=lambda file: file.relative)
    for one, other in zip(files, files[1:], strict=False):
        if one.relative == other.relative:
            raise ImagesError(f"two files are both called {one.relative} in NFC Unicode. Rename one of them.")
    return files


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _check_folder(folder: Path) -> None:
    """Raise ImagesError unless `folder` is a folder."""
    try:
        is_folder = os.path.isdir(folder) or not os.stat(folder)
    except OSError as error:
        raise ImagesError(f"cannot open the folder {folder}: {error.strerror}. Check the path.") from error
    if not is_folder:
        raise ImagesError(
            f"{folder} is a file. Give the folder that holds the images, a .csv of their paths, or a .tar."
        )


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Path and relative path of every file that is not hidden, in no particular order."""
    real = Path(os.path.realpath(folder))
    # A link to the folder itself, to a folder it was reached through or to one that holds them all is a loop.
    waiting = [(str(folder), "", frozenset(_identity(path) for path in (real, *real.parents)))]
    while waiting:
        place, prefix, above = waiting.pop()
        for entry in _entries(place):
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                # A broken link counts as a file: it fails with a reason later. Sockets and pipes do not.
                if entry.is_symlink() or entry.is_file():
                    yield entry.path, prefix + portable(entry.name)
            elif (identity := _identity(entry.path)) not in above:
                waiting.append((entry.path, prefix + portable(entry.name) + "/", above | {identity}))


def _entries(place: str) -> list[os.DirEntry]:
    """The entries of one folder. Raises ImagesError rather than leave a folder out."""
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except OSError as error:
        raise ImagesError(
            f"cannot list {place}: {error.strerror}. Make it readable or move it out of the image folder."
        ) from error


def _is_folder(entry: os.DirEntry) -> bool:
    """Whether an entry is a folder or a link to one; a link that leads nowhere is none."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _identity(path: str | Path) -> tuple[int, int]:
    """What a folder is, whatever path leads to it. Raises ImagesError."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise ImagesError(f"cannot open the folder {path}: {error.strerror}. Make it readable.") from error
    return status.st_dev, status.st_ino


def portable(name: str) -> str:
    """A file name as it is stored: NFC, and always valid UTF-8 (stray bytes as \\xff)."""
    valid = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", valid)


def other_kinds(others: Mapping[str, int]) -> str:
    """The files that are no images, e.g. 12 files of other kinds: .csv, .txt."""
    count = sum(others.values())
    kinds = ", ".join(sorted(kind or "no extension" for kind in others)[:8])
    return f"{count} {'file' if count == 1 else 'files'} of other kinds: {kinds}"
