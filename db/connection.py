"""Open a bundle to read it, and ask it something.

Nothing here can write: the tables are attached read-only, files and settings are out of reach.
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

LOCKED = (
    "memory_limit = '2GB'",  # a query typed by a person must not take the machine down
    "temp_directory = ''",  # nor fill the disk
    "python_enable_replacements = false",  # nor read variables of this process as if they were tables
    "enable_external_access = false",  # nor read or write files
    "lock_configuration = true",  # last: it forbids changing any of these
)


@dataclass(frozen=True, eq=False)
class Bundle:
    """One open bundle. Two openings of one path are two bundles: each is a key of its own caches."""

    path: Path
    """The directory that is read; a temporary one where a zip was opened."""

    manifest: dict[str, Any]
    """Contents of manifest.json."""

    connection: duckdb.DuckDBPyConnection
    """Read-only; never used directly, but by `query`."""

    stamp: tuple[int, ...]
    """What the manifest's file was when it was read; see `is_current`."""

    unpacked: tempfile.TemporaryDirectory | None = None
    """Holds the files of an opened zip for as long as the bundle lives."""

    @property
    def model_keys(self) -> list[str]:
        """Keys of the models of this bundle, sorted."""
        return sorted(model["model_key"] for model in self.manifest["models"])

    def close(self) -> None:
        """Let go of the files."""
        self.connection.close()
        if self.unpacked is not None:
            self.unpacked.cleanup()


def open_bundle(path: str | os.PathLike) -> Bundle:
    """Open the bundle at `path`, a directory or a zip of one, read-only.

    Raises:
        BundleMissing, BundleFormat, BundleDamaged: with what to do about it.
    """
    given = Path(path)
    directory, unpacked = _unpack(given) if given.is_file() else (given.absolute(), None)
    manifest = read_manifest(directory, given)
    stamp = _stamp(directory)
    with_vectors = any(model["has_vectors"] for model in manifest["models"])
    for name in (DATABASE, VECTORS) if with_vectors else (DATABASE,):
        if not (directory / name).exists():
            raise BundleDamaged(f"the bundle at {given} has no {name}. Copy or build it again.")
    return Bundle(directory, manifest, _attach(directory / DATABASE, given), stamp, unpacked)


def is_current(bundle: Bundle) -> bool:
    """False once another bundle has taken its place on disk: open it again then."""
    return _stamp(bundle.path) == bundle.stamp


def check_current(bundle: Bundle) -> None:
    """Refuse to mix two bundles.

    DuckDB keeps the file it opened, Lance opens files by name: without this check the tables of
    an old bundle would meet the vectors of a new one.
    """
    if not is_current(bundle):
        raise BundleReplaced(
            f"the bundle at {bundle.path} was replaced or removed while open. Open it again."
        )


def check_model(bundle: Bundle, model_key: str) -> None:
    """Refuse a model that the bundle does not have."""
    if model_key not in bundle.model_keys:
        raise UnknownName(
            f'model "{model_key}" is not in this bundle. It has: {", ".join(bundle.model_keys)}.'
        )


def check_vectors(bundle: Bundle, model_key: str) -> None:
    """Refuse a model that the bundle does not have, or of which it has no vectors."""
    check_model(bundle, model_key)
    model = next(model for model in bundle.manifest["models"] if model["model_key"] == model_key)
    if not model["has_vectors"]:
        raise NoVectors(
            f"results of {model['model']} were imported without vectors: here are only texts, labels and "
            "metrics of its heads. For all else run `python -m precompute run` with this model."
        )


def query(bundle: Bundle, sql: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Run one query with named parameters. Columns have numpy's types; see `plain` for missing values."""
    own = cursor(bundle)
    try:
        own.execute(sql, dict(params or {}))
        return plain(own.df(), own.description)
    except duckdb.Error as error:
        # DuckDB's own text names the table, the column and the place.
        raise QueryError(f"the query cannot be run. {error}") from error


def cursor(bundle: Bundle) -> duckdb.DuckDBPyConnection:
    """A cursor of its own for one call.

    One connection shared by 8 threads gave 321 errors in 480 queries, some of them silently
    wrong results; a cursor per call gave none.
    """
    own = bundle.connection.cursor()
    own.execute("use headlight")  # a cursor does not inherit it
    return own


def plain(frame: pd.DataFrame, description: Sequence[tuple[Any, ...]] | None) -> pd.DataFrame:
    """Numpy's types instead of pandas' nullable ones, which DuckDB gives where a value is missing.

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
    """Unpack a zipped bundle into a temporary directory, beside it where that can be written."""
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
    inside = [found.parent for found in root.glob(f"*/{MANIFEST}")]
    return (inside[0] if inside and not (root / MANIFEST).is_file() else root), unpacked
