"""Arrays become Arrow columns and come back."""

import numpy as np
import pyarrow as pa
import pytest

from db.arrays import from_column, to_column
from db.errors import BundleDamaged


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_vectors_come_back_flat_and_in_their_type(dtype):
    rows = np.arange(24).reshape(4, 2, 3)

    column = pa.chunked_array([to_column(rows[:1], dtype), to_column(rows[1:], dtype)])

    assert column.type == pa.list_(pa.from_numpy_dtype(dtype), 6)
    assert from_column(column).dtype == dtype
    assert np.array_equal(from_column(column), rows.reshape(4, 6))


def test_a_column_without_rows_keeps_its_width():
    assert from_column(pa.chunked_array([], pa.list_(pa.float16(), 5))).shape == (0, 5)


def test_a_number_that_is_not_finite_is_damage():
    column = pa.chunked_array([to_column(np.array([[1.0, np.nan]]))])

    with pytest.raises(BundleDamaged, match="a number that is not finite"):
        from_column(column)


def test_a_row_without_its_vector_moves_no_other_row_up():
    column = pa.chunked_array([pa.array([[1.0], None, [3.0]], pa.list_(pa.float32(), 1))])

    with pytest.raises(BundleDamaged, match="a row lacks its vector"):
        from_column(column)
