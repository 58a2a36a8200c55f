"""The writer: a bundle appears whole or not at all, and says what does not fit."""

import numpy as np
import pandas as pd
import pytest

from db import queries, vectors
from db.connection import open_bundle, query
from db.diff import diff
from db.errors import BundleExists, StoreError, UnknownName
from db.store import BundleWriter
from tests.support import bundles
from tests.support.places import input_id, left_beside


@pytest.mark.parametrize("table", sorted(bundles.tables()))
def test_every_table_comes_back_as_it_was_written(tiny, table):
    written = bundles.tables()[table]

    rows_read = query(tiny, f'select {", ".join(written.columns)} from "{table}"')

    assert cells(rows_read) == cells(written)


def cells(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows as text, sorted; whatever stands for a missing value is one word."""
    plain = rows.map(lambda cell: cell.tolist() if isinstance(cell, np.ndarray) else cell)
    missing = plain.map(lambda cell: not isinstance(cell, list) and pd.isna(cell))
    return sorted(plain.map(str).mask(missing, "missing").itertuples(index=False, name=None))


def test_an_existing_output_is_refused(taken):
    with pytest.raises(BundleExists, match="demo is there already. Add --replace"):
        BundleWriter(taken, input_id="other")

    assert left_beside(taken) == ["demo"]


def test_a_writer_that_was_refused_can_be_made_again_while_its_error_is_handled(tmp_path):
    with pytest.raises(StoreError) as refused:
        BundleWriter(tmp_path / "new", input_id=None)

    assert refused.tb
    assert bundles.write_bundle(tmp_path / "new").exists()


def test_the_memory_of_a_writer_grows_with_the_keys_of_its_rows_alone(tmp_path, monkeypatch):
    """DuckDB keeps the index of a key in memory: 82 bytes a row of this table."""
    monkeypatch.setattr("db.ddl.DATA_BYTES", 9 * 10**6)
    ids = [f"{number:016x}" for number in np.random.default_rng(0).permutation(180_000)]
    with BundleWriter(tmp_path / "new", input_id="large") as writer:
        for start in range(0, len(ids), 20_000):
            rows = pd.DataFrame({"image_id": ids[start : start + 20_000], "attribute": "a", "value": "b"})
            writer.write("image_attribute", rows)

        (limit,) = writer.connection.execute("select current_setting('memory_limit')").fetchone()
        assert limit == "30.5 MiB"


def test_an_existing_output_is_replaced_when_asked_and_its_readers_go_on(taken):
    reader = open_bundle(taken)

    bundles.write_bundle(taken, input_id="new", replace=True)

    assert input_id(taken) == "new"
    assert query(reader, "select input_id from bundle")["input_id"][0] == "tiny"
    assert left_beside(taken) == ["demo"]
    assert sorted(path.name for path in taken.iterdir()) == [
        "headlight.duckdb",
        "manifest.json",
        "manifest.json.sha256",
        "vectors.lance",
    ]


def test_what_is_no_bundle_is_never_replaced(out):
    out.mkdir()
    (out / "thesis.txt").write_text("mine")

    with pytest.raises(BundleExists, match="is not a bundle, so it is left alone"):
        BundleWriter(out, input_id="x", replace=True)

    assert (out / "thesis.txt").read_text() == "mine"


def test_an_error_inside_the_block_leaves_nothing(out):
    with pytest.raises(RuntimeError), BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        raise RuntimeError

    assert left_beside(out) == []


def test_leaving_the_block_without_finish_leaves_nothing(out):
    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)

    assert left_beside(out) == []


def test_the_same_bundle_for_any_batch_size_and_order_of_rows(tiny, out):
    with BundleWriter(out, input_id="tiny") as writer:
        for table, rows in reversed(bundles.tables().items()):
            half = len(rows) // 2
            writer.write(table, rows.iloc[half:])
            writer.write(table, rows.iloc[:half])
        for model_key in bundles.MODELS:
            bundles.write_vectors(writer, model_key, batch=12)
        writer.finish()

    assert diff(tiny, open_bundle(out)) == []


def test_a_wrong_column_is_named(out):
    with BundleWriter(out, input_id="x") as writer:
        with pytest.raises(StoreError, match='property .* "name". It has: property, texts.'):
            writer.write("property", pd.DataFrame({"name": ["color"], "texts": [1]}))
        with pytest.raises(StoreError, match='property lack .*"texts"'):
            writer.write("property", pd.DataFrame({"property": ["color"]}))
        with pytest.raises(UnknownName, match='"heads". Tables: bundle'):
            writer.write("heads", pd.DataFrame())


def test_a_value_that_does_not_fit_is_named(out):
    with BundleWriter(out, input_id="x") as writer:
        writer.write("property", pd.DataFrame({"property": ["color"], "texts": [1]}))

        with pytest.raises(StoreError, match="property: .*color"):
            writer.write("property", pd.DataFrame({"property": ["color"], "texts": [1]}))
        with pytest.raises(StoreError, match="property: .*many"):
            writer.write("property", pd.DataFrame({"property": ["shape"], "texts": ["many"]}))
        with pytest.raises(StoreError, match="property: .*texts"):
            writer.write("property", pd.DataFrame({"property": ["shape"], "texts": [None]}))


def test_empty_rows_are_welcome(out):
    with BundleWriter(out, input_id="x") as writer:
        writer.write("failed_image", pd.DataFrame({"path": [], "reason": []}))

        assert writer.connection.table("failed_image").fetchall() == []


def test_a_bundle_without_class_texts_needs_no_class_vectors(out):
    """
    Nothing could be asked zero-shot of images of which nothing is known.
    """
    with BundleWriter(out, input_id="x") as writer:
        for name, rows in bundles.tables().items():
            writer.write(name, rows.head(0) if name in ("class_text", "head_validation") else rows)
        for key in bundles.MODELS:
            bundles.write_vectors(writer, key, classes=False)
        writer.finish()

    bundle = open_bundle(out)
    assert queries.class_texts(bundle).empty
    with pytest.raises(UnknownName, match='"color" has no class texts'):
        vectors.class_embeddings(bundle, bundles.MODEL_KEY, "color")


def test_vectors_before_their_spaces_are_refused(out):
    with (
        BundleWriter(out, input_id="x") as writer,
        pytest.raises(StoreError, match="Call write_heads before"),
    ):
        writer.write_images("nobody-00000000", [])
