"""Work files: finished results of a run, from which the next run continues.

A file's name is the hash of everything that it depends on, and writes are atomic: changed options never load
old results, a kill loses only the file being written, and processes on several machines may write the same
directory. Every file holds a checksum of what a reader gets from it, which every reader compares.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from db.atomic_file import UNFINISHED, atomic_file
from db.disk_full import disk_full_error
from db.errors import UserError
from precompute.runtime import progress

Record = TypeVar("Record")
Content = TypeVar("Content")

CHECKSUM = "crc32"
"""Name of the checksum in the metadata of a file. CRC-32 finds any flipped bit and costs little."""

_PANDAS = b"pandas"
"""Name of the entry of a table's metadata by which pandas restores the types of columns."""

SEEN = "seen-by-all-"
"""Prefix of files that show whether other machines see a directory."""


class WorkError(UserError):
    """The work directory cannot be used."""


class DamagedFile(WorkError):
    """A work file is not as it was written."""


def key_of(*parts: object) -> str:
    """Returns the first 16 hex digits of the SHA-256 of `parts` as JSON."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_tensors(*tensors: Tensor) -> str:
    """Returns the SHA-256 of the concatenated numbers of CPU tensors; shapes are not included."""
    content = hashlib.sha256()
    for tensor in tensors:
        content.update(tensor.contiguous().numpy().data)
    return content.hexdigest()


@contextmanager
def locked(directory: Path) -> Iterator[Path]:
    """Locks `directory` exclusively; a kill releases it. Removes unfinished files of killed processes.

    Raises:
        WorkError: another process has a lock, or the directory is not writable.
    """
    with _lock_file(directory, "lock") as handle:
        if not _flock(handle, fcntl.LOCK_EX):
            # Success means that the other locks are shared ones: parts have them.
            is_shared = _flock(handle, fcntl.LOCK_SH)
            raise WorkError(
                f"parts of a run are writing {directory}. Wait for them to end."
                if is_shared
                else f"another run is writing {directory}. Wait for it to end, or give another --bundle."
            )
        for path in (*directory.rglob(f".*{UNFINISHED}"), *directory.glob(f"{SEEN}*")):
            path.unlink(missing_ok=True)
        yield directory


@contextmanager
def shared(directory: Path, part: str) -> Iterator[Path]:
    """Locks `directory` together with the processes of other parts; a kill releases it.

    Raises:
        WorkError: a run has an exclusive lock, another process has this part, or it is not writable.
    """
    with _lock_file(directory, "lock") as shared_lock, _lock_file(directory, f"{part}.lock") as part_lock:
        if not _flock(shared_lock, fcntl.LOCK_SH):
            raise WorkError(f"a run is writing {directory} alone. Wait for it to end.")
        if not _flock(part_lock, fcntl.LOCK_EX):
            raise WorkError(f"another process is at work on {part} in {directory}. Each is done once.")
        yield directory


def _lock_file(directory: Path, name: str) -> IO[str]:
    """Opens a lock file, also for reading: shared locks on NFS need that. Closing it releases the lock."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return open(directory / name, "a+")
    except OSError as error:
        raise WorkError(f"cannot write to {directory}: {error.strerror}. Give another --bundle.") from error


def _flock(handle: IO[str], operation: int) -> bool:
    """Takes a lock and returns True if it is free. Raises WorkError if the file system has no locks."""
    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise WorkError(
            f"cannot lock {handle.name}: {error.strerror}. Put the bundle on a file system with locks "
            "(Lustre has them when mounted with -o flock)."
        ) from error
    return True


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yields a temporary path to write to; renames it to `path` at the end.

    Raises:
        WorkError: the disk is full or not writable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path) as temporary:
            yield temporary
    except (OSError, safetensors.SafetensorError) as error:
        if disk_full := disk_full_error(path, error):
            raise WorkError(str(disk_full)) from error
        reason = getattr(error, "strerror", None) or error
        raise WorkError(
            f"could not write {path}: {reason}. Put that right and run the same command again; it goes on "
            "where it stopped."
        ) from error


def import_file(source: Path, target: Path, *, replace: bool = False) -> bool:
    """Links or copies a work file of another directory to `target`; returns False if it is damaged.

    An existing target stays unless `replace`. A link suffices on one file system: work files never change.
    Raises WorkError.
    """
    if target.exists() and not replace:
        return True
    if not is_whole(source):
        return False
    with atomic_write(target) as temporary:
        try:
            os.link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
    return True


def is_whole(path: Path) -> bool:
    """Returns True if a table or a file of tensors is as it was written; reads all of it."""
    try:
        load_table(path) if path.suffix == ".parquet" else load_tensors(path)
    except (OSError, DamagedFile):
        return False
    return True


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    with atomic_write(path) as temporary:
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        metadata = {CHECKSUM: checksum_of_tensors(contiguous)}
        safetensors.torch.save_file(contiguous, temporary, metadata)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Loads the tensors at `path`. Raises DamagedFile."""
    with _reading(path), safetensors.safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        _compare((file.metadata() or {}).get(CHECKSUM), checksum_of_tensors(tensors))
    return tensors


def load_or_compute(path: Path, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Loads the tensors at `path`; computes and saves them first if the file is missing or damaged."""
    return _load_or_make(path, load_tensors, lambda: save_tensors(path, compute()))


def load_or_compute_layers(
    compute: Mapping[Path, Callable[[], dict[str, Tensor]]], what: str
) -> list[dict[str, Tensor]]:
    """`load_or_compute` of every layer, with a bar; layers that existed are not timed."""
    layers, exists = [], [path.exists() for path in compute]
    with progress.bar(what, total=len(compute), done=sum(exists), unit="layer") as bar:
        for (path, function), existed in zip(compute.items(), exists, strict=True):
            layers.append(load_or_compute(path, function))
            bar.update(not existed)
    return layers


def named(record: Any, prefix: str) -> dict[str, Tensor]:
    """Returns the tensors of a NamedTuple by the names of its fields after `prefix`."""
    return {f"{prefix}.{name}": tensor for name, tensor in record._asdict().items()}


def record_of(kind: Callable[..., Record], tensors: Mapping[str, Tensor], prefix: str) -> Record:
    """Returns the NamedTuple that `named` has named."""
    return kind(*(tensors[f"{prefix}.{name}"] for name in kind._fields))  # type: ignore[attr-defined]


def load_or_publish_first(path: Path, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """As `load_or_compute`, for results that differ by rounding: all processes use the first one."""
    if not path.exists():
        candidate = path.with_name(f".{path.name}.{uuid.uuid4().hex}.first{UNFINISHED}")
        save_tensors(candidate, compute())
        # Unlike a rename, a link fails if another process was faster.
        with suppress(FileExistsError):
            os.link(candidate, path)
        candidate.unlink()
    try:
        return load_tensors(path)
    except DamagedFile as error:
        # The other files of the folder depend on this result, which may come out differently here.
        raise DamagedFile(
            f"{path} is damaged. Delete its folder {path.parent}; the same command then makes all of it "
            "again."
        ) from error


def save_table(path: Path, table: pd.DataFrame) -> None:
    content = _as_read(pa.Table.from_pandas(table, preserve_index=False))
    metadata = content.schema.metadata or {}
    checksums = {name: _checksum_of_column(content[name]) for name in content.column_names}
    checksums[""] = checksum(metadata.get(_PANDAS, b""))
    content = content.replace_schema_metadata({**metadata, CHECKSUM.encode(): json.dumps(checksums)})
    with atomic_write(path) as temporary:
        pq.write_table(content, temporary)


def _as_read(content: pa.Table) -> pa.Table:
    """Returns a table as Parquet gives it back: with other types of categories, lists and times."""
    buffer = io.BytesIO()
    pq.write_table(content, buffer)
    return pq.read_table(buffer)


def load_or_compute_table(path: Path, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """As `load_or_compute`, for a table."""
    return _load_or_make(path, load_table, lambda: save_table(path, compute()))


def load_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Loads these columns of a table, or all; reads and checks no others. Raises DamagedFile."""
    with _reading(path):
        content = pq.read_table(path, columns=columns)
        metadata = content.schema.metadata or {}
        checksums = json.loads(metadata.get(CHECKSUM.encode(), b"{}"))
        _compare(checksums.get(""), checksum(metadata.get(_PANDAS, b"")))
        for name in content.column_names if columns is None else columns:
            _compare(checksums.get(name), _checksum_of_column(content[name]))
        return content.to_pandas()


def save_text(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_bytes(f"{checksum(text.encode())}\n{text}".encode())


def load_text(path: Path) -> str:
    """Loads the text at `path`. Raises DamagedFile."""
    with _reading(path):
        written, _, text = path.read_bytes().partition(b"\n")
        _compare(written.decode(), checksum(text))
        return text.decode()


def load_or_compute_text(path: Path, compute: Callable[[], str]) -> str:
    """As `load_or_compute`, for a text."""
    return _load_or_make(path, load_text, lambda: save_text(path, compute()))


def checksum_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Returns a checksum of the names, types, shapes and numbers of tensors, in the order of their names."""
    crc = 0
    for name, tensor in sorted(tensors.items()):
        crc = zlib.crc32(f"{name} {tensor.dtype} {list(tensor.shape)}".encode(), crc)
        crc = zlib.crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, crc)
    return f"{crc:08x}"


def _checksum_of_column(column: pa.ChunkedArray) -> str:
    """Returns a checksum of type, categories and values: encodings of the same values may differ."""
    crc = zlib.crc32(str(column.type).encode())
    if pa.types.is_dictionary(column.type) and len(column):
        categories = column.unify_dictionaries().chunk(0).dictionary
        crc = zlib.crc32(repr(categories.to_pylist()).encode(), crc)
    values = column.to_pylist()
    if not pa.types.is_binary(column.type):
        return f"{zlib.crc32(repr(values).encode(), crc):08x}"
    for value in values:
        crc = zlib.crc32(value or b"", zlib.crc32(repr(value and len(value)).encode(), crc))
    return f"{crc:08x}"


def checksum(content: bytes) -> str:
    """Returns the CRC-32 of bytes as 8 hex digits."""
    return f"{zlib.crc32(content):08x}"


def _compare(written: str | None, actual: str) -> None:
    if written != actual:
        raise ValueError(f"its checksum is {actual}, not {written or 'stated'}")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what a damaged file raises into DamagedFile."""
    try:
        yield
    except (FileNotFoundError, PermissionError):
        raise
    except Exception as error:
        # Writes are atomic: the file was damaged later, or the disk lost data in a power failure.
        raise DamagedFile(
            f"{path} is damaged ({error}). Delete it; the same command then makes it again."
        ) from error


def _load_or_make(path: Path, load: Callable[[Path], Content], make: Callable[[], None]) -> Content:
    """Loads a file; makes it first if it is missing or damaged."""
    if path.exists():
        try:
            return load(path)
        except DamagedFile as error:
            progress.say(f"{str(error).partition('. Delete')[0]}; it is made again.")
    make()
    return load(path)
