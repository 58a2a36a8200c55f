"""Writes a bundle: tables to DuckDB, vectors to LanceDB, then checksums and the final name.

    with BundleWriter(out, input_id=...) as writer:
        writer.write("model", rows)                  # any table of schema.sql, any number of times
        writer.write_heads(model_key, spaces)        # before the other vectors of that model
        writer.write_images(model_key, batches)
        writer.write_texts(model_key, text_ids, embeddings)
        writer.write_tokens(model_key, tokens, images)
        writer.write_classes(model_key, attributes, values, embeddings)  # where class_text has rows
        writer.finish({"software": ...})

A block that ends without `finish` leaves no files. Knows nothing of models or pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from db import ddl, lance_tables, vector_encoding
from db.atomic_directory import AtomicDirectory
from db.checks import check_consistent
from db.disk_full import disk_full_error
from db.errors import StoreError, UnknownName
from db.layout import DATABASE, FORMAT, VECTORS, lance_table
from db.manifest import manifest_facts, write_manifest
from db.vectors import HeadSpace


class ImageVectors(NamedTuple):
    """A batch of images of one model; ids are sorted within and across batches."""

    image_id: Sequence[str]
    embedding: np.ndarray
    """[image, d_out]; unit length."""

    coordinates: np.ndarray
    """[image, layer, head, rank]: y, neither centered nor scaled; the writer does both."""


class ImageTokens(NamedTuple):
    """Token-level vectors of one gallery image."""

    image_id: str
    coordinates: np.ndarray
    """[layer, head, token, rank], not centered: the sum over tokens is y."""

    rest: np.ndarray
    """[d_out]: the contribution of everything that is not a stored head (early and MLPs)."""


class BundleWriter:
    """Writes one bundle in a hidden directory and publishes it atomically."""

    def __init__(self, out: Path | str, *, input_id: str, replace: bool = False) -> None:
        """Locks the output.

        Raises:
            BundleExists: `out` exists and `replace` is false.
            BundleBusy: another process is writing `out`.
            DiskFull: the disk is full; every method that writes raises it too.
        """
        self.directory = AtomicDirectory(Path(out), replace=replace)
        self._spaces: dict[str, HeadSpace] = {}
        self._open, self._rows = True, 0
        try:
            self.connection = ddl.create(self.directory.building / DATABASE)
            self._begin(input_id)
        except BaseException as error:
            self.directory.abandon()
            self._raise_if_disk_full(error)
            raise

    def _begin(self, input_id: str) -> None:
        try:
            self.columns = ddl.columns(self.connection)
            self._keys = ddl.keys(self.connection)
            self.write("bundle", pd.DataFrame({"format": [FORMAT], "input_id": [input_id]}))
        except BaseException:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._open = False
            self.connection.close()
            self.directory.abandon()
        self._raise_if_disk_full(error)

    def write(self, table: str, rows: pd.DataFrame) -> None:
        """Appends rows to a table; columns have the names of the schema, in any order.

        Raises:
            UnknownName, StoreError: a table or column does not fit; the message names it.
        """
        names = [str(name) for name in rows.columns]
        self._check_columns(table, names)
        if rows.empty:
            return
        columns = ", ".join(f'"{name}"' for name in names)
        key = ", ".join(f'"{name}"' for name in self._keys[table])
        self.allow_rows(len(rows))
        self.connection.register("incoming", rows)
        try:
            # Sorted, so that equal bundles have the same order of rows.
            self.connection.execute(
                f'insert into "{table}" by name select {columns} from incoming order by {key}'
            )
        except duckdb.OperationalError as error:
            raise StoreError(f"cannot write table {table}: {error}") from error
        except duckdb.Error as error:
            # DuckDB's message names the column or the key.
            raise StoreError(f"rows do not fit table {table}: {error}") from error
        finally:
            self.connection.unregister("incoming")

    def allow_rows(self, count: int) -> None:
        """Raises the memory limit of the tables to what `count` more rows take."""
        self._rows += count
        ddl.limit_memory(self.connection, rows=self._rows)

    def write_heads(self, model_key: str, spaces: HeadSpace) -> None:
        """Writes the spaces of a model's stored heads; call it before writing images, texts and tokens."""
        space = vector_encoding.checked_space(model_key, spaces)
        batch = vector_encoding.pack_spaces(space)
        self._vectors("heads", model_key, batch.schema, [batch])
        self._spaces[model_key] = space

    def write_images(self, model_key: str, batches: Iterable[ImageVectors]) -> int:
        """Writes a stream of image vectors, sorted by image_id; returns their number."""
        space = self._space(model_key)

        def packed() -> Iterator[pa.RecordBatch]:
            last = ""
            for batch in batches:
                last = vector_encoding.check_rising(batch.image_id, last)
                yield vector_encoding.pack_images(space, batch.image_id, batch.embedding, batch.coordinates)

        return self._vectors("images", model_key, vector_encoding.image_schema(space), packed())

    def write_texts(self, model_key: str, text_ids: Sequence[str], embeddings: np.ndarray) -> int:
        """Writes embeddings of the whole pool [text, d_out], unit length, in any order; returns their number.

        Stores their coordinates in every head too.
        """
        batch = vector_encoding.pack_texts(self._space(model_key), text_ids, embeddings)
        vector_encoding.check_rising(batch["text_id"].to_pylist(), "")
        return self._vectors("texts", model_key, batch.schema, [batch])

    def write_tokens(self, model_key: str, tokens: int, images: Iterable[ImageTokens]) -> int:
        """Writes a stream of gallery images of `tokens` tokens, sorted by image_id; returns their number."""
        space = self._space(model_key)

        def packed() -> Iterator[pa.RecordBatch]:
            last = ""
            for image in images:
                last = vector_encoding.check_rising([image.image_id], last)
                yield vector_encoding.pack_tokens(
                    space, tokens, image.image_id, image.coordinates, image.rest
                )

        return self._vectors("tokens", model_key, vector_encoding.token_schema(space, tokens), packed())

    def write_classes(
        self, model_key: str, attributes: Sequence[str], values: Sequence[str], embeddings: np.ndarray
    ) -> int:
        """Writes embeddings of all class texts [n, d_out], unit length, in any order; returns their number.

        `attributes` and `values` are the keys of the table `class_text`.
        """
        batch = vector_encoding.pack_classes(self._space(model_key), attributes, values, embeddings)
        return self._vectors("classes", model_key, batch.schema, [batch])

    def finish(self, manifest: dict[str, Any] | None = None) -> Path:
        """Checks the bundle, writes the manifest, and publishes the bundle; returns its path.

        `manifest` has further fields: versions of software and methods, notes.

        Raises:
            StoreError: tables and vectors contradict each other; the message lists the contradictions.
        """
        check_consistent(self.connection, self.directory.building / VECTORS)
        facts = manifest_facts(self.connection)
        ddl.close(self.connection, self.directory.building / DATABASE)
        write_manifest(self.directory.building, {**(manifest or {}), **facts})
        self.directory.publish()
        self._open = False
        return self.directory.out

    def _vectors(
        self, kind: str, model_key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> int:
        return lance_tables.write_table(
            self.directory.building / VECTORS, lance_table(kind, model_key), schema, batches
        )

    def _raise_if_disk_full(self, error: BaseException | None) -> None:
        """Raises DiskFull if `error` means no space."""
        if disk_full := disk_full_error(self.directory.out, error):
            raise disk_full from error

    def _space(self, model_key: str) -> HeadSpace:
        if model_key not in self._spaces:
            raise StoreError(f"no spaces of {model_key} were written. Call write_heads before other vectors.")
        return self._spaces[model_key]

    def _check_columns(self, table: str, names: list[str]) -> None:
        if table not in self.columns:
            raise UnknownName(f'there is no table "{table}". Tables: {", ".join(sorted(self.columns))}.')
        columns = self.columns[table]
        if unknown := [name for name in names if name not in columns]:
            raise StoreError(f'table {table} has no column "{unknown[0]}". It has: {", ".join(columns)}.')
        if missing := [name for name, required in columns.items() if required and name not in names]:
            raise StoreError(f'rows for table {table} lack the column "{missing[0]}". Add it.')
