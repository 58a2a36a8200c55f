"""Opens a bundle read-only, and runs queries on it.

Nothing here can write: the tables are attached read-only, and files and settings are inaccessible.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from db import bundle_files
from db.errors import BundleDamaged, BundleReplaced, NoVectors, QueryError, StoreError, UnknownName, first_few
from db.layout import DATABASE, MANIFEST, VECTORS
from db.locked_database import MAX_SECONDS, attach, damage_named, records_of, time_limit
from db.manifest import fact_differences, read_manifest
from db.plain_path import plain_path
from db.unpacked_zip import UnpackedZip, unpack

if TYPE_CHECKING:
    import pandas as pd  # importing it takes longer than to open a bundle

T = TypeVar("T")

MAX_RESULT = 2**30
"""Maximum size of a query's result in memory, in bytes: a join repeats a text as often as it is named."""


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

    unpacked: UnpackedZip | None = None
    """Contents of an opened zip, with the lifetime of the bundle."""

    @property
    def model_keys(self) -> list[str]:
        """Sorted keys of the models."""
        return sorted(model["model_key"] for model in self.manifest["models"])

    def close(self) -> None:
        """Closes the files."""
        self.connection.close()
        if self.unpacked is not None:
            self.unpacked.remove()


def open_bundle(path: str | os.PathLike) -> Bundle:
    """Opens the bundle at `path`, a directory or a zip of one, read-only.

    Compares names and sizes of its files with the manifest, and the manifest's facts with its tables.

    Raises:
        BundleMissing, BundleFormat, BundleDamaged: the bundle cannot be read.
        StoreError: the machine does not let it be read.
    """
    path = Path(path)
    try:
        return _unpack_and_open(path)
    except OSError as error:
        raise StoreError(
            f"the bundle at {path} cannot be read: {error.strerror}. See that its path is right, and that "
            "you may read all of it."
        ) from error


def _unpack_and_open(path: Path) -> Bundle:
    unpacked = unpack(path) if path.is_file() else None
    try:
        return _open(unpacked.directory if unpacked else path.absolute(), path, unpacked)
    except BaseException:
        if unpacked is not None:
            unpacked.remove()
        raise


def _open(directory: Path, given: Path, unpacked: UnpackedZip | None) -> Bundle:
    manifest, stamp = read_manifest(directory, given), bundle_files.stamp(directory / MANIFEST)
    with_vectors = any(model["has_vectors"] for model in manifest["models"])
    for name in (DATABASE, VECTORS) if with_vectors else (DATABASE,):
        if not (directory / name).exists():
            raise BundleDamaged(f"the bundle at {given} has no {name}. Copy or build it again.")
    listing = bundle_files.list_files(directory)
    unlisted = bundle_files.unlisted(listing, manifest["files"])
    differences = bundle_files.size_differences(listing, manifest["files"])
    _check(given, [*differences, *filter(bundle_files.read_anyway, unlisted)])
    connection = attach(plain_path(directory) / DATABASE, given)
    bundle = Bundle(directory, manifest, connection, stamp, unpacked)
    try:
        with damage_named(given):
            _check(given, fact_differences(cursor(bundle), manifest))
    except BaseException:
        connection.close()
        raise
    return bundle


def _check(given: Path, differences: list[str]) -> None:
    """Raises BundleDamaged with the first of the differences from the manifest."""
    if differences:
        raise BundleDamaged(
            f"the bundle at {given} is damaged: {first_few(differences)}. Copy or build it again."
        )


def is_current(bundle: Bundle) -> bool:
    """Returns False if this bundle, or the zip it was opened from, was replaced or removed."""
    return _is_there(bundle) and (bundle.unpacked is None or bundle.unpacked.is_current())


def check_current(bundle: Bundle) -> None:
    """Raises BundleReplaced if the bundle was replaced.

    DuckDB keeps its open file, while Lance opens files by name. Without this check, tables of an old bundle
    would be combined with vectors of a new one.
    """
    if not _is_there(bundle):
        raise BundleReplaced(
            f"the bundle at {bundle.path} was replaced or removed while open. Open it again."
        )


def _is_there(bundle: Bundle) -> bool:
    return bundle_files.stamp(bundle.path / MANIFEST) == bundle.stamp


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


def query(bundle: Bundle, sql: str, params: Mapping[str, Any] | None = None) -> "pd.DataFrame":
    """Runs one query with named parameters. Columns have numpy's types; see `plain` for missing values."""
    return _run(bundle, sql, params, lambda result: plain(bounded(result.df()), result.description))


def records(bundle: Bundle, sql: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Runs one query without pandas; returns its rows as values by column, None for a missing one."""
    return _run(bundle, sql, params, records_of)


def bounded(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Returns a result unchanged. Raises QueryError if it takes more than MAX_RESULT bytes."""
    if (size := frame.memory_usage(deep=True).sum()) > MAX_RESULT:
        raise QueryError(
            f"the result takes {size / 1e9:.1f} GB of memory, more than {MAX_RESULT / 1e9:.1f}. Ask for "
            'less, or check the bundle with "headlight bundle verify".'
        )
    return frame


def _run(
    bundle: Bundle,
    sql: str,
    params: Mapping[str, Any] | None,
    fetch: Callable[[duckdb.DuckDBPyConnection], T],
) -> T:
    connection = cursor(bundle)
    try:
        with time_limit(connection, MAX_SECONDS):
            return fetch(connection.execute(sql, dict(params or {})))
    except duckdb.InterruptException as error:
        raise QueryError(
            f"the query took longer than {MAX_SECONDS:g} seconds. Ask for less, or check the bundle with "
            '"headlight bundle verify".'
        ) from error
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


def plain(frame: "pd.DataFrame", description: Sequence[tuple[Any, ...]] | None) -> "pd.DataFrame":
    """Converts pandas' nullable types, which DuckDB gives for columns with missing values, to numpy's types.

    A missing number is NaN, a missing boolean or blob None, a missing text None or NaN (ask
    `pandas.isna`); blobs are bytes.
    """
    import pandas as pd

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
