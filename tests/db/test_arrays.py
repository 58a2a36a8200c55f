"""Arrays become Arrow columns and come back."""

import numpy as np
import pyarrow as pa
import pytest

from db.arrays import from_column, to_column, vector_type


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_vectors_come_back_flat_and_in_their_type(dtype):
    rows = np.arange(24).reshape(4, 2, 3)

    column = pa.chunked_array([to_column(rows[:1], dtype), to_column(rows[1:], dtype)])

    assert column.type == vector_type(6, dtype)
    assert from_column(column).dtype == dtype
    assert np.array_equal(from_column(column), rows.reshape(4, 6))


def test_a_column_without_rows_keeps_its_width():
    assert from_column(pa.chunked_array([], vector_type(5))).shape == (0, 5)
