"""Atomic files: a file appears under its final name complete, or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".writing"
"""Suffix of the names of incomplete files."""


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a unique temporary path beside `path`, and renames it to `path` at the end.

    An error leaves the previous file unchanged.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    try:
        yield temporary
        flush(temporary)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Flushes a file, or the names in a directory, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
