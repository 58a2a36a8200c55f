"""A file appears under its final name whole, or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".writing"
"""How the names of files end that are not whole yet."""


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path beside `path` that no other process has; what is written there takes its name at the end.

    After an error nothing is left but what was there before.
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
