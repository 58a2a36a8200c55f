"""Unpacks a zip of a bundle beside it: only what its manifest names, and only where it fits on the disk.

A zip may also hold a data set card and Parquet files, for other readers; they are not unpacked.

An unpacked folder is locked while it is in use. A kill releases the lock, and the next zip that is unpacked
beside it removes the folder.
"""

import errno
import fcntl
import io
import os
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from weakref import finalize

from db.bundle_files import BESIDE, CHUNK, OF_SYSTEMS, stamp
from db.errors import BundleDamaged, BundleMissing, DiskFull, StoreError
from db.layout import CARD, DIGEST, MANIFEST, SIGNATURE
from db.manifest import MAX_BYTES, read_manifest
from db.table_sizes import max_unpacked

PREFIX = ".headlight-unpacked-"
_FOLDER = re.compile(rf"{re.escape(PREFIX)}[a-z0-9_]{{8}}")
MAX_TRIES = 5
"""Another process may take a new folder, before it is locked, for an abandoned one."""

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OF_SYSTEMS = re.compile(rf"(.*/)?(__MACOSX/.*|\._[^/]*|{'|'.join(map(re.escape, OF_SYSTEMS))})", re.DOTALL)
"""Files that macOS and Windows add to folders and zips; they are not unpacked."""

_MANIFEST = re.compile(rf"([^/]+/){{0,3}}{re.escape(MANIFEST)}")
"""The folder of the bundle is the zip itself, or lies in up to three folders that hold nothing else."""

MAX_DIRECTORY = 2**24
"""Maximum size of a zip's list of files in bytes, of which Python makes 200 MB; a manifest names no more."""


class UnpackedZip:
    """A temporary folder with a bundle in it, removed by `remove`, with the object, or at exit."""

    def __init__(self, file: Path) -> None:
        self._file, self._stamp = file.absolute(), stamp(file)
        beside = self._file.parent
        parent = beside if os.access(beside, os.W_OK) else Path(tempfile.gettempdir())
        _remove_abandoned(parent)
        folder, lock = _locked_folder(parent)
        self.directory = folder / "bundle"
        """Directory of the bundle."""

        self.remove = finalize(self, _remove, folder, lock)
        self.directory.mkdir()

    def is_current(self) -> bool:
        """Returns False if another file has taken the place of the zip, or none."""
        return stamp(self._file) == self._stamp


def unpack(file: Path) -> UnpackedZip:
    """Unpacks the bundle in `file`.

    Raises:
        BundleMissing: it is no zip of a bundle.
        BundleFormat, BundleDamaged: the bundle cannot be read, or the zip holds something else than it.
        DiskFull: the disk is too small.
    """
    if not zipfile.is_zipfile(file):
        raise BundleMissing(f"{file} is neither a bundle's directory nor a zip of one. Give one of these.")
    try:
        unpacked = UnpackedZip(file)
    except OSError as error:
        raise StoreError(
            f"{file} cannot be unpacked: {error.strerror}. See that the folder beside it can be written."
        ) from error
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            _unpack(archive, file, unpacked.directory)
    except BaseException as error:
        unpacked.remove()
        if isinstance(error, StoreError) or not isinstance(error, Exception):
            raise
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"{file} cannot be unpacked: its disk is full. Free some space.") from error
        # Any other error: a damaged or crafted zip makes Python's zipfile raise all kinds.
        raise BundleDamaged(f"{file} cannot be unpacked ({error}). Copy or zip it again.") from error
    return unpacked


def parquet_files(file: Path) -> Iterator[tuple[str, io.BytesIO]]:
    """Yields name and content of the Parquet files that a zip of a bundle holds beside it.

    Raises:
        BundleDamaged: one cannot be read.
    """
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            for name, entry in sorted(_entries(archive).items()):
                if BESIDE.fullmatch(name) and name != CARD:
                    if entry.file_size > max_unpacked(file.stat().st_size):
                        raise ValueError(f"{name} has {entry.file_size} bytes")
                    content = io.BytesIO()
                    _copy(archive, entry, content, entry.file_size)
                    yield name, content
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise BundleDamaged(f"{file} cannot be unpacked ({error}). Copy or zip it again.") from error


def is_bundle_zip(file: Path) -> bool:
    """Returns True for a zip with a manifest at its root or in its only folder."""
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            return MANIFEST in _entries(archive)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):
        return False


def _check_directory(file: Path) -> None:
    """Raises ValueError if the list of files in a zip is too long to be read."""
    with file.open("rb") as handle:
        end = zipfile._EndRecData(handle)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > MAX_DIRECTORY:  # type: ignore[attr-defined]
        raise ValueError(f"its list of files has {end[zipfile._ECD_SIZE]} bytes, more than {MAX_DIRECTORY}")  # type: ignore[attr-defined]


def _unpack(archive: zipfile.ZipFile, file: Path, directory: Path) -> None:
    entries = _entries(archive)
    for name in (MANIFEST, DIGEST, SIGNATURE):
        if name in entries:
            _extract(archive, entries[name], directory / name, min(entries[name].file_size, MAX_BYTES))
    manifest = read_manifest(directory, file)
    _check_names(entries, manifest["files"])
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    beside = [entry for name, entry in entries.items() if BESIDE.fullmatch(name)]
    total, packed = size + sum(entry.file_size for entry in beside), file.stat().st_size
    if total > max_unpacked(packed):
        raise ValueError(f"it unpacks to {total / 1e6:.0f} MB, from {packed / 1e6:.0f} MB; no bundle does")
    free = shutil.disk_usage(directory).free
    if size > free:
        raise DiskFull(
            f"{file} needs {size / 1e9:.1f} GB unpacked, and {free / 1e9:.1f} GB are free beside it. Free "
            "some space, or unpack it on another disk and open the folder."
        )
    for name, listed in manifest["files"].items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        _extract(archive, entries[name], directory / name, listed["bytes"])
    with open(os.devnull, "wb") as nowhere:
        for entry in beside:  # damage to these is damage to the zip
            _copy(archive, entry, nowhere, entry.file_size)


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Returns the files of the bundle in the archive, by their names in the bundle."""
    files = [
        entry
        for entry in archive.infolist()
        if not entry.is_dir() and not _OF_SYSTEMS.fullmatch(entry.filename)
    ]
    names = [entry.filename for entry in files]
    roots = [name.removesuffix(MANIFEST) for name in names if _MANIFEST.fullmatch(name)]
    root = min(roots, key=len, default="")
    if len(set(names)) < len(names):
        raise ValueError("it holds a name twice")
    if outside := [name for name in names if not name.startswith(root)]:
        raise ValueError(f"it holds {outside[0]!r} beside the bundle")
    return {entry.filename.removeprefix(root): entry for entry in files}


def _check_names(entries: Mapping[str, zipfile.ZipInfo], listed: Mapping[str, Any]) -> None:
    extra = sorted(set(entries) - set(listed) - {MANIFEST, DIGEST, SIGNATURE})
    if extra := [name for name in extra if not BESIDE.fullmatch(name)]:
        raise ValueError(f"it holds {extra[0]!r}, which its manifest does not name")
    for name, entry in listed.items():
        if name not in entries:
            raise ValueError(f"it lacks {name}")
        if entries[name].file_size != entry["bytes"]:
            raise ValueError(f"{name} has {entries[name].file_size} bytes, but had {entry['bytes']}")


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, size: int) -> None:
    """Writes one file of exactly `size` bytes."""
    with target.open("xb") as out:
        _copy(archive, entry, out, size)


def _copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, out: IO[bytes], size: int) -> None:
    """Copies one file of exactly `size` bytes out of the archive."""
    if entry.flag_bits & 1:
        raise ValueError(f"{entry.filename} is encrypted; Headlight has no passwords")
    if entry.compress_type not in _METHODS:
        raise ValueError(f"{entry.filename} is compressed by method {entry.compress_type}; use deflate")
    left = size
    with archive.open(entry) as source:
        while chunk := source.read(min(CHUNK, left + 1)):
            left -= len(chunk)
            if left < 0:
                raise ValueError(f"{entry.filename} has more than {size} bytes")
            out.write(chunk)
    if left:
        raise ValueError(f"{entry.filename} has {size - left} bytes, but had {size}")


def _remove_abandoned(parent: Path) -> None:
    """Removes the unpacked folders in `parent` that no process uses."""
    with suppress(OSError):
        for folder in parent.iterdir():
            if _FOLDER.fullmatch(folder.name) and (lock := _lock(folder)) is not None:
                _remove(folder, lock)


def _locked_folder(parent: Path) -> tuple[Path, int]:
    """Returns a new folder and the lock on it."""
    for _ in range(MAX_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        if (lock := _lock(folder)) is not None:
            return folder, lock
        shutil.rmtree(folder, ignore_errors=True)
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def _lock(folder: Path) -> int | None:
    """Returns a lock on a folder; None if another process has one, or the folder is no longer there."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), os.stat(folder)):
                return handle
        except OSError:
            pass
        os.close(handle)
    return None


def _remove(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)
