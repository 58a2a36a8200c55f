"""Files of a bundle's directory: what is there, and how it differs from the manifest. Opens no table."""

import hashlib
import os
import re
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from db.layout import CARD, DATABASE, DIGEST, MANIFEST, PARQUET_TABLES, SIGNATURE, VECTORS

CHUNK = 2**20
OF_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Left by macOS and Windows in each folder that they have shown; neither DuckDB nor Lance reads them."""

BESIDE = re.compile(rf"{re.escape(CARD)}|{PARQUET_TABLES}/[a-z_]{{1,64}}\.parquet")
"""Files that `headlight bundle zip` puts beside a bundle for other readers; no manifest names them."""


class Listing(NamedTuple):
    """Contents of a directory, by relative path with forward slashes."""

    files: dict[str, int]
    """Regular files except the manifest, its digest and signature, and `OF_SYSTEMS`: sizes in bytes."""

    others: list[str]
    """Sentences about what no bundle contains: links, pipes, devices, empty folders."""


def list_files(directory: Path) -> Listing:
    """Returns the contents of `directory`, sorted; follows no link and opens no file."""
    files: dict[str, int] = {}
    others: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        with os.scandir(directory / folder) as scan:
            entries = list(scan)
        if folder and not entries:
            others.append(f"{_shown(folder)} is an empty folder")
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif not entry.is_file(follow_symlinks=False):
                kind = "a link" if entry.is_symlink() else "neither a file nor a folder"
                others.append(f"{_shown(name)} is {kind}")
            elif name not in (MANIFEST, DIGEST, SIGNATURE) and entry.name not in OF_SYSTEMS:
                files[_shown(name)] = entry.stat(follow_symlinks=False).st_size
    return Listing(dict(sorted(files.items())), sorted(others))


def stamp(file: Path) -> tuple[int, ...]:
    """Returns the identity of a file and of its content; equal only for an untouched file, empty for none."""
    try:
        state = file.stat()
    except OSError:
        return ()
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size


def stamps(directory: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Returns name, size, inode and time of the last change of every file: equal only for untouched files."""
    found = []
    for folder, _, names in os.walk(directory):
        for name in names:
            state = os.lstat(os.path.join(folder, name))
            found.append((os.path.join(folder, name), state.st_size, state.st_ino, state.st_ctime_ns))
    return tuple(sorted(found))


def size_differences(listing: Listing, entries: Mapping[str, Any]) -> list[str]:
    """Returns the files of the manifest's `entries` that are missing or have another size."""
    differences = [f"{name} is missing" for name in sorted(set(entries) - set(listing.files))]
    return differences + [
        f"{name} has {listing.files[name]} bytes, but had {entry['bytes']}"
        for name, entry in sorted(entries.items())
        if listing.files.get(name, entry["bytes"]) != entry["bytes"]
    ]


def unlisted(listing: Listing, entries: Container[str]) -> list[str]:
    """Returns sentences about everything in the directory that the manifest does not name."""
    return [
        f"{name} is not in the manifest" for name in listing.files if name not in entries
    ] + listing.others


def read_anyway(sentence: str) -> bool:
    """Returns True for what DuckDB or Lance would read unasked: a write-ahead log, a version of a table."""
    return sentence.startswith((DATABASE, VECTORS))


def hash_differences(directory: Path, listing: Listing, entries: Mapping[str, Any]) -> list[str]:
    """Returns the files of the manifest with the right size and other bytes; reads all of them."""
    return [
        f"{name} has changed (its checksum differs)"
        for name, entry in sorted(entries.items())
        if listing.files.get(name) == entry["bytes"] and sha256(directory / name) != entry["sha256"]
    ]


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file as hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _shown(name: str) -> str:
    """Returns a name that can be printed: names of files need not be UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()
