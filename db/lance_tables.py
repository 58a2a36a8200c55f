"""Lance tables: open, read, search, write. The only file that imports lancedb.

Importing lancedb takes two seconds, so it happens where a table is first touched: pages that show
no vectors do not wait for it. Knows nothing of heads or bundles.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from db.errors import BundleDamaged, StoreError

T = TypeVar("T")


def open_table(directory: Path, name: str) -> Any:
    """Open one table."""
    import lancedb

    return _readable(f"{directory}/{name}", lambda: lancedb.connect(directory).open_table(name))


def table_names(directory: Path) -> list[str]:
    """Names of all tables in a directory, sorted; none where there is no directory."""
    if not directory.exists():  # connecting would make one
        return []
    import lancedb

    names: list[str] = []
    page = None
    while True:
        answer = lancedb.connect(directory).list_tables(page_token=page)
        names += answer.tables
        page = answer.page_token
        if not page:
            return sorted(names)


def read(table: Any, columns: Sequence[str], offsets: Sequence[int] | None = None) -> pa.Table:
    """Columns of all rows in stored order, or of the rows at `offsets`, which must rise."""

    def answer() -> pa.Table:
        if offsets is None:
            # Without a limit a plain read might stop at a default number of rows.
            return table.search().select(list(columns)).limit(table.count_rows()).to_arrow()
        return table.take_offsets(list(offsets)).select(list(columns)).to_arrow()

    return _readable(table.name, answer)


def read_blocks(table: Any, columns: Sequence[str], rows: int) -> Iterator[pa.Table]:
    """Yields columns of all rows in stored order, at most `rows` at a time.

    One scan a block: over a single one Lance reads ahead by 0.5 GB whatever the size of its batches.
    """
    for start in range(0, table.count_rows(), rows):
        scan = table.search().select(list(columns)).limit(rows).offset(start)
        yield _readable(table.name, scan.to_arrow)


def search(table: Any, column: str, query: np.ndarray, metric: str, k: int, key: str) -> pa.Table:
    """Returns `key` and `_distance` (1 - cosine, 1 - dot) of the k nearest rows, by comparing all of them."""
    scan = table.search(query, vector_column_name=column).distance_type(metric).bypass_vector_index()
    return _readable(table.name, lambda: scan.select([key, "_distance"]).limit(k).to_arrow())


def write_table(directory: Path, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Write a table from a stream of batches, in one commit; return its number of rows."""
    import lancedb

    failure: list[BaseException] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except BaseException as error:
            failure.append(error)  # Arrow hands on its text only
            raise

    reader = pa.RecordBatchReader.from_batches(schema, watched())
    try:
        table = lancedb.connect(directory).create_table(name, data=reader, schema=schema)
    except Exception as error:
        if failure:
            raise failure[0] from None
        raise StoreError(f"cannot write vectors {name} to {directory}: {error}") from error
    return table.count_rows()


def _readable(name: str, answer: Callable[[], T]) -> T:
    try:
        return answer()
    except (RuntimeError, OSError, ValueError) as error:
        raise BundleDamaged(
            f'vectors {name} cannot be read ({error}). See what is damaged with "headlight bundle verify".'
        ) from error
