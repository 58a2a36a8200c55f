"""Converts numpy arrays to Arrow columns and back, without a loop over rows. Knows nothing of tables."""

import numpy as np
import pyarrow as pa

from db.errors import BundleDamaged

SEE = 'See what is damaged with "headlight bundle verify".'


def to_column(rows: np.ndarray, dtype: type = np.float16) -> pa.Array:
    """Returns a column of vectors from `rows` [row, ...], with all axes after the first flattened."""
    width = int(np.prod(rows.shape[1:]))
    flat: np.ndarray = np.ascontiguousarray(rows, dtype=dtype).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), width)


def from_column(column: pa.ChunkedArray) -> np.ndarray:
    """Returns the vectors [row, width] of a column, in their stored type.

    Raises:
        BundleDamaged: a row has no vector (those after it would move up), or a number is not finite.
    """
    return finite(values_of(column))


def values_of(column: pa.ChunkedArray) -> np.ndarray:
    """Returns the same, whatever its numbers are. Raises BundleDamaged if a row has no vector."""
    if column.null_count:
        raise BundleDamaged(f"a row lacks its vector. {SEE}")
    width = column.type.list_size
    parts = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    flat = np.concatenate(parts) if parts else np.empty(0, column.type.value_type.to_pandas_dtype())
    return flat.reshape(-1, width)


def finite(array: np.ndarray) -> np.ndarray:
    """Returns an array of the bundle unchanged. Raises BundleDamaged if a number in it is not finite."""
    if not np.isfinite(array).all():
        raise BundleDamaged(f"a vector holds a number that is not finite. {SEE}")
    return array
