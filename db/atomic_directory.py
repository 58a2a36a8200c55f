"""Atomic directories: a directory appears under its final name complete, or not at all.

It is built in a hidden sibling on the same file system and renamed at the end. Steps of a replacement,
and the repair by the next run if a kill follows the step:

    1. build .NAME.building      NAME is complete; .NAME.building is removed
    2. NAME -> .NAME.old         .NAME.old is complete and is renamed back
    3. .NAME.building -> NAME    NAME is the new directory; .NAME.old is removed
    4. remove .NAME.old          done

A lock on .NAME.lock, which a kill releases, excludes a second writer; only its holder repairs. Only
directories are removed in which every file is of the same kind, a bundle or a report: a file that a person
put there stays.
"""

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from db.atomic_file import flush
from db.bundle_files import list_files, unlisted
from db.errors import BundleBusy, BundleExists, StoreError, first_few
from db.layout import DATABASE, MANIFEST, VECTORS


class AtomicDirectory:
    """Exclusive access to one output directory, from construction to `publish` or `abandon`."""

    def __init__(self, out: Path, *, replace: bool, kind: "Kind | None" = None) -> None:
        self.kind = kind or BUNDLE
        self.out = Path(os.path.realpath(out))  # a link stays a link, and its target is replaced
        self.replace = replace
        self.building = self._sibling("building")
        self._old = self._sibling("old")
        self._lock_file = self._sibling("lock")
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            self._lock = self._acquire_lock()
        except OSError as error:
            raise StoreError(
                f"cannot write to {self.out.parent}: {error.strerror}. Give another path."
            ) from error
        try:
            self._repair()
            check_free(self.out, replace=self.replace, kind=self.kind)
            self.building.mkdir()
        except BaseException as error:
            self._unlock()
            if isinstance(error, OSError):
                raise StoreError(f"cannot write {self.out}: {error.strerror}. Give another path.") from error
            raise

    def publish(self) -> None:
        """Renames the directory to its final name and releases the lock."""
        sync(self.building)
        check_free(self.out, replace=self.replace, kind=self.kind)
        if self.out.exists():
            self.out.rename(self._old)
        self.building.rename(self.out)
        flush(self.out.parent)
        self._remove(self._old)
        self._unlock()

    def abandon(self) -> None:
        """Removes the new directory, restores an old bundle, and releases the lock."""
        try:
            self._repair()
        finally:
            self._unlock()

    def _sibling(self, suffix: str) -> Path:
        return self.out.with_name(f".{self.out.name}.{suffix}")

    def _repair(self) -> None:
        """Repairs the state that a killed writer left, by the table above."""
        if self._old.exists() and not self.out.exists():
            self._old.rename(self.out)
        self._remove(self._old)
        self._remove(self.building)

    def _remove(self, directory: Path) -> None:
        """Removes a directory of an earlier or the present run.

        Raises:
            BundleExists: it holds files that are not of its kind.
        """
        if directory.exists():
            _check_removable(directory, self.kind)
            shutil.rmtree(directory, ignore_errors=True)

    def _acquire_lock(self) -> int:
        while True:
            handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(handle)
                raise BundleBusy(
                    f"another run is writing {self.out}. Wait for it to end, or give another path."
                ) from None
            # The last holder removes the file, and a lock on a removed file excludes no other process.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(self._lock_file)):
                    return handle
            os.close(handle)

    def _unlock(self) -> None:
        self._lock_file.unlink(missing_ok=True)
        os.close(self._lock)


class Kind(NamedTuple):
    """A kind of directory: how it is recognized, and what may be removed with it."""

    name: str
    facts: Callable[[Path], dict[str, Any] | None]
    """Returns the facts of a directory of this kind, or None."""

    others: Callable[[Path], list[str]]
    """Returns the names in such a directory, finished or not, that are not of it."""


def check_free(out: Path, *, replace: bool, kind: Kind | None = None) -> None:
    """Checks that `out` may be written: before hours of work, and again before publishing.

    Raises:
        BundleExists: `out` exists and may not be replaced, is of another kind, or holds files that are not of
            it. A directory is a bundle unless `kind` says otherwise.
        StoreError: no bundle can have this path.
    """
    kind = kind or BUNDLE
    _check_path(Path(os.path.abspath(out)), kind)
    if not out.exists():
        return
    is_kind = kind.facts(out) is not None
    if not is_kind and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise BundleExists(
            f"{out} is there and is not a {kind.name}, so it is left alone. Give another path."
        )
    if not replace:
        raise BundleExists(f"{out} is there already. Add --replace, or give another path.")
    if is_kind:
        _check_removable(out, kind)


def _check_path(out: Path, kind: Kind) -> None:
    """Raises StoreError if the path is not UTF-8, or too long for the files in and beside a bundle."""
    if not _is_utf8(str(out)):
        raise StoreError(
            f"the path {str(out)!r} is not UTF-8; a {kind.name} cannot be there. Give another path."
        )
    deepest = out.with_name(f".{out.name}.building") / VECTORS / ("x" * 200) / ("x" * 60)
    try:
        os.lstat(deepest)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise StoreError(
                f"{out.name[:40]}... is too long a name or path for a {kind.name} ({error.strerror}). "
                "Give a shorter one."
            ) from error


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _manifest(directory: Path) -> dict[str, Any] | None:
    """Returns a manifest with our fields, of any format; None if it is not ours: web pages have one."""
    try:
        facts = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) and {"format", "input_id"} <= set(facts) else None


def _others(directory: Path) -> list[str]:
    """Returns the names in the directory of a bundle, finished or not, that are not of it."""
    listing, listed = list_files(directory), (_manifest(directory) or {}).get("files")
    if isinstance(listed, dict):
        return [sentence.split(" is ")[0] for sentence in unlisted(listing, listed)]
    return [name for name in listing.files if not name.startswith((DATABASE, f"{VECTORS}/"))]


BUNDLE = Kind("bundle", _manifest, _others)


def _check_removable(directory: Path, kind: Kind) -> None:
    """Raises BundleExists if something in `directory` is not of its kind, finished or not."""
    if names := kind.others(directory):
        raise BundleExists(
            f"{directory} holds files that are not of the {kind.name}: {first_few(names, ', ')}. "
            "Nothing was removed. Move them elsewhere, or give another path."
        )


def sync(directory: Path) -> None:
    """Flushes every file and directory below `directory` to the disk."""
    for folder, _, names in os.walk(directory):
        for name in names:
            flush(Path(folder) / name)
        flush(Path(folder))
