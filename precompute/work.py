"""Work files: what a run has finished so far, so that the next run goes on from there.

Every file is named by the hash of what it depends on and appears whole or not at all:
a changed option never meets an old result, and a kill loses only the file in flight.
Knows nothing of models or stages.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pyarrow as pa
import safetensors
import safetensors.torch
from torch import Tensor


class WorkError(RuntimeError):
    """The work directory cannot be used."""


def key_of(*parts: object) -> str:
    """First 16 hex digits of the SHA-256 of `parts` as JSON."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def hash_of(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_of_tensors(*tensors: Tensor) -> str:
    """SHA-256 of the numbers of CPU tensors, one after the other; shapes are not part of it."""
    content = hashlib.sha256()
    for tensor in tensors:
        content.update(tensor.contiguous().numpy().data)
    return content.hexdigest()


@contextmanager
def locked(directory: Path) -> Iterator[Path]:
    """Hold `directory` for this process; a kill releases it.

    Raises:
        WorkError: another run holds it, or it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        handle = open(directory / "lock", "a")  # noqa: SIM115  closed below, with the lock
    except OSError as error:
        raise WorkError(f"cannot write to {directory}: {error.strerror}. Give another --bundle.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.close()
        raise WorkError(
            f"another run is writing {directory}. Wait for it to end, or give another --bundle."
        ) from error
    try:
        yield directory
    finally:
        handle.close()


@contextmanager
def appearing_whole(path: Path) -> Iterator[Path]:
    """Yield a path to write to; what is written there takes the name `path` at the end.

    Raises:
        WorkError: the disk is full.
    """
    aside = path.with_name(f".{path.name}.writing")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        with open(aside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(aside, path)
    except (OSError, safetensors.SafetensorError) as error:
        aside.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or error
        raise WorkError(
            f"could not write {path}: {reason}. Free some space and run the same command again; "
            "it goes on where it stopped."
        ) from error


def save_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    with appearing_whole(path) as aside:
        contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
        safetensors.torch.save_file(contiguous, aside)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Raises WorkError for a damaged file."""
    try:
        return safetensors.torch.load_file(path)
    except safetensors.SafetensorError as error:
        raise _damaged(path, error) from error


def kept(path: Path, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What an earlier run has computed, or what `compute` gives, from now on kept at `path`."""
    if not path.exists():
        save_tensors(path, compute())
    return load_tensors(path)


def save_table(path: Path, table: pd.DataFrame) -> None:
    with appearing_whole(path) as aside:
        table.to_parquet(aside, index=False)


def kept_table(path: Path, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """As `kept`, for a table."""
    if not path.exists():
        save_table(path, compute())
    return load_table(path)


def load_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Those columns, or all. Raises WorkError for a damaged file."""
    try:
        return pd.read_parquet(path, columns=columns)
    except pa.ArrowInvalid as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> WorkError:
    # Files appear whole: this one was damaged later, or by a disk that lost it when the power went.
    return WorkError(f"{path} is damaged ({error}). Delete it; the same command then makes it anew.")
