"""A directory appears under its final name whole, or not at all.

It is built in a hidden sibling on the same file system and renamed at the end. The order of a
replacement, and what a kill after each step leaves for the next run to repair:

    1. build .NAME.building      NAME is whole; .NAME.building is removed
    2. NAME -> .NAME.old         .NAME.old is whole and gets its name back
    3. .NAME.building -> NAME    NAME is the new one; .NAME.old is removed
    4. remove .NAME.old          done

A lock on .NAME.lock, which a kill releases, keeps a second writer out; only its holder repairs.
Knows nothing of what is in the directory.
"""

import fcntl
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

from db.atomic_file import flush
from db.errors import BundleBusy, BundleExists, StoreError
from db.layout import MANIFEST


class AtomicDirectory:
    """The right to write one output directory, from construction to `publish` or `abandon`."""

    def __init__(self, out: Path, *, replace: bool) -> None:
        self.out = Path(os.path.abspath(out))
        self.replace = replace
        self.building = self._sibling("building")
        self._old = self._sibling("old")
        self._lock_file = self._sibling("lock")
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.out.parent}: {error.strerror}. Give another path."
            ) from error
        try:
            self._repair()
            check_free(self.out, replace=self.replace)
            self.building.mkdir()
        except BaseException as error:
            self._unlock()
            if isinstance(error, OSError):
                raise StoreError(f"cannot write {self.out}: {error.strerror}. Give another path.") from error
            raise

    def publish(self) -> None:
        """Give the directory its final name and let go."""
        sync(self.building)
        check_free(self.out, replace=self.replace)
        if self.out.exists():
            self.out.rename(self._old)
        self.building.rename(self.out)
        flush(self.out.parent)
        shutil.rmtree(self._old, ignore_errors=True)
        self._unlock()

    def abandon(self) -> None:
        """Remove what was built and let go; an old bundle that was moved aside gets its name back."""
        self._repair()
        self._unlock()

    def _sibling(self, suffix: str) -> Path:
        return self.out.with_name(f".{self.out.name}.{suffix}")

    def _repair(self) -> None:
        """Clear up after a writer that did not end: the table above."""
        if self._old.exists() and not self.out.exists():
            self._old.rename(self.out)
        shutil.rmtree(self._old, ignore_errors=True)
        shutil.rmtree(self.building, ignore_errors=True)

    def _locked(self) -> int:
        while True:
            handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                raise BundleBusy(
                    f"another run is writing {self.out}. Wait for it to end, or give another path."
                ) from None
            # The last holder removes the file: a lock on a removed file keeps nobody out.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(self._lock_file)):
                    return handle
            os.close(handle)

    def _unlock(self) -> None:
        self._lock_file.unlink(missing_ok=True)
        os.close(self._lock)


def check_free(out: Path, *, replace: bool) -> None:
    """Refuse an output that is taken: early, before hours of work, and again when it is published.

    Raises:
        BundleExists: `out` is there and may not be replaced, or is no bundle and so never is.
    """
    if not out.exists():
        return
    if not _is_bundle(out) and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise BundleExists(f"{out} is there and is not a bundle, so it is left alone. Give another path.")
    if not replace:
        raise BundleExists(f"{out} is there already. Add --replace, or give another path.")


def _is_bundle(directory: Path) -> bool:
    """A manifest alone does not make one: web pages have files of that name too."""
    try:
        facts = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(facts, dict) and {"format", "input_id"} <= set(facts)


def sync(directory: Path) -> None:
    """Flush every file and directory below `directory` to the disk."""
    for folder, _, names in os.walk(directory):
        for name in names:
            flush(Path(folder) / name)
        flush(Path(folder))
