"""A vector that is missing or holds a number that is not finite is damage, also where all checksums agree."""

import lancedb
import pyarrow as pa
import pytest

from db import vector_rows, vectors, verify
from db.connection import open_bundle
from db.errors import BundleDamaged
from db.layout import VECTORS
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY
from tests.support.places import seal

READS = [
    lambda bundle: vectors.head_spaces(bundle, MODEL_KEY),
    lambda bundle: vector_rows.vectors_of(bundle, "images", MODEL_KEY, None, ["L1_H0"]),
    lambda bundle: vector_rows.vectors_of(bundle, "images", MODEL_KEY, None, ["L1_H1"]),
    lambda bundle: vectors.tokens(bundle, CONTROL_KEY, GALLERY[1]),
]


def change(table: pa.Table, column: str, row: int, number: float | None) -> pa.Table:
    """Changes the first number of one row of a column; None leaves out the whole vector."""
    place, field = table.schema.get_field_index(column), table.schema.field(column).with_nullable(True)
    values = table[column].to_pylist()
    is_vector = isinstance(values[row], list) and number is not None
    values[row] = [number, *values[row][1:]] if is_vector else number
    return table.set_column(place, field, pa.array(values, field.type))


EDITS = [
    (f"heads__{MODEL_KEY}", "scale", 0, float("-inf"), "scale of L1.H0"),
    (f"images__{MODEL_KEY}", "L1_H0", 0, None, f"L1_H0 of {IMAGE_IDS[0]}"),
    (f"images__{MODEL_KEY}", "L1_H1", 3, float("nan"), f"L1_H1 of {IMAGE_IDS[3]}"),
    (f"tokens__{CONTROL_KEY}", "token_scale", 1, float("nan"), f"token_scale of {GALLERY[1]}"),
]


def test_verify_names_vectors_without_finite_numbers_and_no_read_returns_them(copy):
    connection = lancedb.connect(copy / VECTORS)
    for table, column, row, number, _ in EDITS:
        rows = connection.open_table(table).to_arrow()
        connection.create_table(table, change(rows, column, row, number), mode="overwrite")
    seal(copy)

    sentences = {f"vectors {table} lack a finite number in {place}" for table, *_, place in EDITS}
    assert set(verify.problems(copy)) == sentences
    bundle = open_bundle(copy)
    for read in READS:
        with pytest.raises(BundleDamaged, match="not finite|lacks its vector"):
            read(bundle)
    bundle.close()
