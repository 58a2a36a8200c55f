"""Opens a bundle read-only, and runs queries on it.

Nothing here can write: the tables are attached read-only, and files and settings are inaccessible.
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from db.errors import (
    BundleDamaged,
    BundleFormat,
    BundleMissing,
    BundleReplaced,
    NoVectors,
    QueryError,
    UnknownName,
)
from db.layout import DATABASE, FORMAT, MANIFEST, VECTORS
from db.plain_path import plain_path

LOCKED = (
    "memory_limit = '2GB'",  # a query typed by a person must not take the machine down
    "temp_directory = ''",  # nor fill the disk
    "python_enable_replacements = false",  # nor read variables of this process as if they were tables
    "enable_external_access = false",  # nor read or write files
    "lock_configuration = true",  # last: it forbids changing any of these
)


@dataclass(frozen=True, eq=False)
class Bundle:
    """One open bundle. Opening a path twice gives two bundles, each with its own caches."""

    path: Path
    """Directory of the bundle; a temporary one for a zip."""

    manifest: dict[str, Any]
    """Contents of manifest.json."""

    connection: duckdb.DuckDBPyConnection
    """Read-only connection; use `query` instead."""

    stamp: tuple[int, ...]
    """Identity of the manifest's file at opening; see `is_current`."""

    unpacked: tempfile.TemporaryDirectory | None = None
    """Temporary directory of an opened zip, with the lifetime of the bundle."""

    @property
    def model_keys(self) -> list[str]:
        """Sorted keys of the models."""
        return sorted(model["model_key"] for model in self.manifest["models"])

    def close(self) -> None:
        """Closes the files."""
        self.connection.close()
        if self.unpacked is not None:
            self.unpacked.cleanup()


def open_bundle(path: str | os.PathLike) -> Bundle:
    """Opens the bundle at `path`, a directory or a zip of one, read-only.

    Raises:
        BundleMissing, BundleFormat, BundleDamaged: the bundle cannot be read.
    """
    path = Path(path)
    directory, unpacked = _unpack(path) if path.is_file() else (path.absolute(), None)
    manifest = read_manifest(directory, path)
    stamp = _stamp(directory)
    with_vectors = any(model["has_vectors"] for model in manifest["models"])
    for name in (DATABASE, VECTORS) if with_vectors else (DATABASE,):
        if not (directory / name).exists():
            raise BundleDamaged(f"the bundle at {path} has no {name}. Copy or build it again.")
    return Bundle(directory, manifest, _attach(plain_path(directory) / DATABASE, path), stamp, unpacked)


def is_current(bundle: Bundle) -> bool:
    """Returns False if another bundle has replaced this one on disk; open it again then."""
    return _stamp(bundle.path) == bundle.stamp


def check_current(bundle: Bundle) -> None:
    """Raises BundleReplaced if the bundle was replaced.

    DuckDB keeps its open file, while Lance opens files by name. Without this check, tables of an old bundle
    would be combined with vectors of a new one.
    """
    if not is_current(bundle):
        raise BundleReplaced(
            f"the bundle at {bundle.path} was replaced or removed while open. Open it again."
        )


def check_model(bundle: Bundle, model_key: str) -> None:
    """Raises UnknownName if the bundle does not have the model."""
    if model_key not in bundle.model_keys:
        raise UnknownName(
            f'model "{model_key}" is not in this bundle. It has: {", ".join(bundle.model_keys)}.'
        )


def check_vectors(bundle: Bundle, model_key: str) -> None:
    """Raises UnknownName or NoVectors if the bundle does not have the model or its vectors."""
    check_model(bundle, model_key)
    model = next(model for model in bundle.manifest["models"] if model["model_key"] == model_key)
    if not model["has_vectors"]:
        raise NoVectors(
            f"results of {model['model']} were imported without vectors: here are only texts, labels and "
            "metrics of its heads. For all else run `headlight run` with this model."
        )


def query(bundle: Bundle, sql: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Runs one query with named parameters. Columns have numpy's types; see `plain` for missing values."""
    connection = cursor(bundle)
    try:
        connection.execute(sql, dict(params or {}))
        return plain(connection.df(), connection.description)
    except duckdb.Error as error:
        # DuckDB's message names the table, the column and the position.
        raise QueryError(f"the query cannot be run. {error}") from error


def cursor(bundle: Bundle) -> duckdb.DuckDBPyConnection:
    """Returns a new cursor for one call.

    One connection shared by 8 threads gave 321 errors in 480 queries, some of them silently
    wrong results; a cursor per call gave none.
    """
    connection = bundle.connection.cursor()
    connection.execute("use headlight")  # a cursor does not inherit it
    return connection


def plain(frame: pd.DataFrame, description: Sequence[tuple[Any, ...]] | None) -> pd.DataFrame:
    """Converts pandas' nullable types, which DuckDB gives for columns with missing values, to numpy's types.

    A missing number is NaN, a missing boolean or blob None, a missing text None or NaN (ask
    `pandas.isna`); blobs are bytes.
    """
    for position, (_, kind, *_) in enumerate(description or []):
        column = frame.iloc[:, position]
        if str(kind) == "BLOB":
            blobs = [None if value is None or value is pd.NA else bytes(value) for value in column]
            frame.isetitem(position, pd.Series(blobs, dtype=object))
        elif isinstance(column.dtype, pd.BooleanDtype):
            answers = [None if value is pd.NA else bool(value) for value in column]
            frame.isetitem(position, pd.Series(answers, dtype=object))
        elif isinstance(column.dtype, pd.api.extensions.ExtensionDtype) and column.dtype.kind in "iuf":
            frame.isetitem(position, column.astype("float64"))
    return frame


def read_manifest(directory: Path, given: Path | None = None) -> dict[str, Any]:
    """The manifest of the bundle in `directory`; messages name the path that was `given`."""
    given = given or directory
    file = directory / MANIFEST
    if not file.is_file():
        raise BundleMissing(_no_bundle(given))
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleDamaged(
            f"{MANIFEST} of {given} cannot be read ({error}). Copy or build it again."
        ) from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found != FORMAT:
        raise BundleFormat(
            f"the bundle at {given} has format {found}, this Headlight reads format {FORMAT}. "
            "Build it again, or use the Headlight that made it."
        )
    return manifest


def _no_bundle(given: Path) -> str:
    left = given.parent / f".{given.name}.old"
    if left.is_dir():
        return (
            f"no bundle at {given}: replacing it was interrupted. The next run that writes it puts things "
            f"right; or rename {left} to {given.name}."
        )
    return f'no bundle at {given}. Make one with "headlight demo" or "headlight run", or give another path.'


def _stamp(directory: Path) -> tuple[int, ...]:
    try:
        state = (directory / MANIFEST).stat()
    except OSError:
        return ()
    return state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size


def _attach(database: Path, given: Path) -> duckdb.DuckDBPyConnection:
    # Attached to an empty database of its own: `duckdb.connect(file)` answers from a database that is
    # still open under the same path, even after the file there was replaced.
    connection = duckdb.connect()
    quoted = str(database).replace("'", "''")
    try:
        connection.execute(f"attach '{quoted}' as headlight (read_only)")
        # Before anything is read: a view in the place of a table could read files.
        for setting in LOCKED:
            connection.execute(f"set {setting}")
        found = connection.execute("select format from headlight.bundle").fetchone()
    except duckdb.Error as error:
        connection.close()
        raise BundleDamaged(
            f"{DATABASE} of {given} cannot be read ({error}). Copy or build it again."
        ) from error
    if found != (FORMAT,):
        connection.close()
        raise BundleDamaged(f"{MANIFEST} and {DATABASE} of {given} do not belong together. Build it again.")
    return connection


def _unpack(file: Path) -> tuple[Path, tempfile.TemporaryDirectory]:
    """Unpacks a zip into a temporary directory, beside the zip if that directory is writable."""
    if not zipfile.is_zipfile(file):
        raise BundleMissing(f"{file} is neither a bundle's directory nor a zip of one. Give one of these.")
    beside = file.parent if os.access(file.parent, os.W_OK) else None
    unpacked = tempfile.TemporaryDirectory(prefix=f".{file.stem}.unpacked-", dir=beside)
    root = Path(unpacked.name)
    try:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(root)
    except (OSError, zipfile.BadZipFile) as error:
        unpacked.cleanup()
        raise BundleDamaged(f"{file} cannot be unpacked ({error}). Copy or zip it again.") from error
    inside = [file.parent for file in root.glob(f"*/{MANIFEST}")]
    return (inside[0] if inside and not (root / MANIFEST).is_file() else root), unpacked
