"""A disk that can be full: a small file system in memory, where tests may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """A file system of that size at `place`. Skips the test where mounting is not allowed."""
    place.mkdir()
    size = f"size={megabytes}M"
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", place], capture_output=True)
    except FileNotFoundError:
        pytest.skip("a full disk needs mount, which is not here")
    if done.returncode:
        pytest.skip(f"a full disk needs the right to mount one: {done.stderr.decode().strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def leave(disk: Path, free: int) -> None:
    """Fill a disk but for so many bytes; what filled it before is taken away first."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    status = os.statvfs(disk)
    with filler.open("wb") as file:
        file.write(bytes(max(0, status.f_bavail * status.f_frsize - free)))


def empty(disk: Path) -> None:
    """Take away what `leave` has put there."""
    (disk / "filler").unlink()
