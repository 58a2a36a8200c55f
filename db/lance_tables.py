"""Lance tables: open, read, search, write. The only file that imports lancedb.

Importing lancedb takes two seconds, so functions import it: pages without vectors do not wait for it. Knows
nothing of heads or bundles.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from db.errors import BundleDamaged, StoreError
from db.lance_manifest import foreign_features
from db.plain_path import plain_path

T = TypeVar("T")

_NAME = b"headlight_table"
"""Key in the metadata of a table: the name it was written under, since folders can be exchanged."""

_BATCH_BYTES = 2**24
"""Size up to which small batches are joined."""


def open_table(directory: Path, name: str) -> Any:
    """Returns an open table.

    Raises:
        BundleDamaged: it cannot be read, or may read files outside of it.
    """
    if foreign := foreign_features(directory / f"{name}.lance"):
        raise BundleDamaged(
            f"vectors {name} use features of Lance that Headlight never writes and that may read files "
            f"elsewhere ({foreign[0]}). Copy or build the bundle again."
        )

    return _readable(f"{directory}/{name}", lambda: _connect(directory).open_table(name))


def written_name(table: Any) -> str:
    """Returns the name that a table was written under; empty if another program wrote it."""
    return (table.schema.metadata or {}).get(_NAME, b"").decode("utf-8", "backslashreplace")


def table_names(directory: Path) -> list[str]:
    """Returns the sorted names of all tables in a directory; none if it does not exist."""
    if not directory.exists():  # connecting would create it
        return []
    names: list[str] = []
    page = None
    while True:
        tables = _connect(directory).list_tables(page_token=page)
        names += tables.tables
        page = tables.page_token
        if not page:
            return sorted(names)


def read(table: Any, columns: Sequence[str], offsets: Sequence[int] | None = None) -> pa.Table:
    """Returns columns of all rows in stored order, or of the rows at ascending `offsets`."""

    def rows() -> pa.Table:
        if offsets is None:
            # Without a limit, a read might stop at a default number of rows.
            return table.search().select(list(columns)).limit(table.count_rows()).to_arrow()
        return table.take_offsets(list(offsets)).select(list(columns)).to_arrow()

    return _readable(table.name, rows)


def read_blocks(table: Any, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """Yields columns of all rows in stored order, at most `rows` at a time.

    One scan a block: in a single scan LanceDB reads ahead by 0.5 GB, whatever the batch size.
    """
    for start in range(0, table.count_rows(), rows):
        scan = table.search().select(list(columns)).limit(rows).offset(start)
        yield _readable(table.name, scan.to_arrow)


def search(table: Any, column: str, query: np.ndarray, metric: str, k: int, key: str) -> pa.Table:
    """Returns `key` and `_distance` (1 - cosine, 1 - dot) of the k nearest rows by exhaustive search."""
    scan = table.search(query, vector_column_name=column).distance_type(metric).bypass_vector_index()
    return _readable(table.name, lambda: scan.select([key, "_distance"]).limit(k).to_arrow())


def write_table(directory: Path, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Writes a table from a stream of batches, in one commit; returns its number of rows."""
    schema = schema.with_metadata({_NAME: name})

    failure: list[BaseException] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from _joined(batches)
        except BaseException as error:
            failure.append(error)  # Arrow passes on only its text
            raise

    reader = pa.RecordBatchReader.from_batches(schema, watched())
    try:
        table = _connect(directory).create_table(name, data=reader, schema=schema)
    except Exception as error:
        if failure:
            raise failure[0] from None
        raise StoreError(f"cannot write vectors {name} to {directory}: {error}") from error
    return table.count_rows()


def _joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields small batches joined: LanceDB takes nearly as long for a batch of one row as for one of many."""
    pending: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        pending.append(batch)
        size += batch.nbytes
        if size >= _BATCH_BYTES:
            yield pa.concat_batches(pending)
            pending, size = [], 0
    if pending:
        yield pa.concat_batches(pending)


def _connect(directory: Path) -> Any:
    import lancedb

    return lancedb.connect(plain_path(directory.parent) / directory.name)


def _readable(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except (RuntimeError, OSError, ValueError) as error:
        raise BundleDamaged(
            f'vectors {name} cannot be read ({error}). See what is damaged with "headlight bundle verify".'
        ) from error
