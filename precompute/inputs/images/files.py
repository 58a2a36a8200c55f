"""Image files of a folder, in the same order on every file system.

Opens no file: a listed file may still be no image. A member of a tar is a file too.
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

# Listed although Pillow cannot read them: photos of a phone must appear as failures, not vanish.
UNREADABLE = "heic heif jxl"

EXTENSIONS = frozenset("." + kind for kind in f"{READABLE} {UNREADABLE}".split())

# Compressed tars are listed too and refused when opened: they must not vanish.
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tar.lz4")


class ImagesError(UserError):
    """The image folder, a list, a tar or an attribute file cannot be used; the message says what to do."""


class ImageFile(NamedTuple):
    """One file that may be an image."""

    path: Path
    """File to open: the image or its tar."""

    relative: str
    """Path relative to the folder, NFC, with forward slashes: the name of the file in the bundle."""

    offset: int | None = None
    """First byte of the image in the tar `path`; None if `path` is the image."""

    size: int = 0
    """Number of bytes of a member of a tar."""

    @property
    def where(self) -> str:
        """Name of the file in messages."""
        return str(self.path) if self.offset is None else f"{self.relative} in {self.path}"


class Failed(NamedTuple):
    """A file that is not a usable image."""

    relative: str
    reason: str


class FolderListing(NamedTuple):
    """The files of a folder."""

    files: list[ImageFile]
    """Files with an image extension, sorted by `relative`."""

    others: dict[str, int]
    """Number of files of every other extension ("" for none), most frequent first."""

    tars: list[ImageFile]
    """Tar files, sorted by `relative`; used only if there are no image files."""


def evenly(items: Sequence[Item], count: int) -> list[Item]:
    """Returns `count` items, spread evenly over all; all items if there are no more than that."""
    if count >= len(items):
        return list(items)
    return [items[index] for index in np.linspace(0, len(items) - 1, count).round().astype(int)]


def check_any(folder: Path, listing: FolderListing) -> None:
    """Raises ImagesError if the folder has no image files."""
    if not listing.files:
        content = other_kinds(listing.others) if listing.others else "it is empty"
        raise ImagesError(
            f"no images in {folder} ({content}). Give a folder of PNG, JPEG, ... or .tar files, or a .csv."
        )


def list_folder(folder: Path, advance: Callable[[int], None] = lambda _: None) -> FolderListing:
    """Returns the files under `folder`; skips hidden files and folders, follows links.

    `advance` is called with 1 for every file. Raises ImagesError if `folder` is not a readable folder.
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
    """Returns the first three names of a list and the number of the others, for a message."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def is_tar(name: str) -> bool:
    """Returns True for the file name of a tar, compressed or not."""
    return name.lower().endswith(TARS)


def in_order_of_names(files: list[ImageFile]) -> list[ImageFile]:
    """Returns the files sorted by `relative`. Raises ImagesError for two files of one name."""
    # The same order on every machine: sorting by code point is sorting by UTF-8 bytes.
    files = sorted(files, key=lambda file: file.relative)
    for file, following in zip(files, files[1:], strict=False):
        if file.relative == following.relative:
            raise ImagesError(
                f"two files are both called {file.relative} in NFC Unicode. Rename one of them."
            )
    return files


def most_first(counts: Mapping[str, int]) -> dict[str, int]:
    """Returns the counts, the largest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _check_folder(folder: Path) -> None:
    """Raises ImagesError unless `folder` is a folder."""
    try:
        is_folder = os.path.isdir(folder) or not os.stat(folder)
    except OSError as error:
        raise ImagesError(f"cannot open the folder {folder}: {error.strerror}. Check the path.") from error
    if not is_folder:
        raise ImagesError(
            f"{folder} is a file. Give the folder that holds the images, a .csv of their paths, or a .tar."
        )


def _walk(folder: Path) -> Iterator[tuple[str, str]]:
    """Yields path and relative path of every file that is not hidden, in no particular order."""
    real = Path(os.path.realpath(folder))
    # A link to a folder on the path from the root to the link would give a loop.
    pending = [(str(folder), "", frozenset(_identity(path) for path in (real, *real.parents)))]
    while pending:
        directory, prefix, parents = pending.pop()
        for entry in _entries(directory):
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                # A broken link counts as a file: the scan gives the reason. Sockets and pipes do not count.
                if entry.is_symlink() or entry.is_file():
                    yield entry.path, prefix + portable(entry.name)
            elif (identity := _identity(entry.path)) not in parents:
                pending.append((entry.path, prefix + portable(entry.name) + "/", parents | {identity}))


def _entries(directory: str) -> list[os.DirEntry]:
    """Returns the entries of one folder. Raises ImagesError if it cannot be read."""
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError as error:
        raise ImagesError(
            f"cannot list {directory}: {error.strerror}. Make it readable or move it out of the image folder."
        ) from error


def _is_folder(entry: os.DirEntry) -> bool:
    """Returns True for a folder or a link to a folder; False for a broken link."""
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _identity(path: str | Path) -> tuple[int, int]:
    """Returns the device and inode of a folder, the same for every path to it. Raises ImagesError."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise ImagesError(f"cannot open the folder {path}: {error.strerror}. Make it readable.") from error
    return status.st_dev, status.st_ino


def portable(name: str) -> str:
    """Returns a file name as stored in the bundle: NFC and valid UTF-8 (invalid bytes as \\xff)."""
    valid = os.fsencode(name).decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", valid)


def other_kinds(others: Mapping[str, int]) -> str:
    """Returns a phrase for files that are no images, e.g. 12 files of other kinds: .csv, .txt."""
    count = sum(others.values())
    kinds = ", ".join(sorted(kind or "no extension" for kind in others)[:8])
    return f"{count} {'file' if count == 1 else 'files'} of other kinds: {kinds}"
