"""A bundle that contradicts itself is not published, and the message names the contradiction."""

import pandas as pd
import pytest

from db import checks, verify
from db.errors import StoreError
from db.store import BundleWriter
from tests.support import bundles
from tests.support.places import edit, left_beside


@pytest.mark.parametrize(
    ("forget", "message"),
    [
        ("model", "no model was written"),
        ("image_set", "image_set has 0 rows, but has one"),
        ("text", "head_text names the text"),
        ("metric", "head_metric names the metric ccs, which metric lacks"),
        ("image_file", "has no row in image_file"),
        ("property", "text_property names the property color, which property lacks"),
        ("class_text", "head_validation names the attribute color, which class_text lacks"),
        ("model", "validation_score names the model tiny-known-00000001, which model lacks"),
        ("metric", "rotated_metric names the metric entanglement, which metric lacks"),
    ],
)
def test_a_forgotten_table_is_found_before_publishing(out, forget, message):
    with BundleWriter(out, input_id="x") as writer:
        for table, rows in bundles.tables().items():
            if table != forget:
                writer.write(table, rows)

        with pytest.raises(StoreError, match=message):
            writer.finish()

    assert left_beside(out) == []


def test_forgotten_vectors_are_found_before_publishing(out):
    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        bundles.write_vectors(writer, bundles.MODEL_KEY)

        with pytest.raises(StoreError, match=f"there are no vectors images__{bundles.CONTROL_KEY}"):
            writer.finish()


def test_too_few_vectors_are_found_before_publishing(out):
    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        bundles.write_vectors(writer, bundles.CONTROL_KEY)
        key = bundles.MODEL_KEY
        writer.write_heads(key, bundles.spaces(key))
        writer.write_texts(key, bundles.TEXT_IDS, bundles.text_embeddings())
        writer.write_images(key, list(bundles.image_batches(key, 5))[:-1])
        writer.write_tokens(key, bundles.TOKENS, [])

        with pytest.raises(StoreError, match="have 10 rows, but the tables speak of 12"):
            writer.finish()


def test_two_chosen_labels_of_one_head_are_found_before_publishing(out):
    with BundleWriter(out, input_id="x") as writer:
        for table, rows in bundles.tables().items():
            writer.write(table, rows.assign(chosen=True) if table == "head_label" else rows)

        with pytest.raises(StoreError, match=r"L1.H0 has 3 chosen labels, but has one"):
            writer.finish()


@pytest.mark.parametrize(
    ("table", "column", "values", "message"),
    [
        ("model", "control_of", [None, None], "model tiny-random-00000002 is a control of no model"),
        ("model", "is_control", [False, False], "names control_of tiny/known, but is no control"),
        ("class_text", "position", [0, 1, 3, 0, 1], "class_text of color skips a position"),
        ("class_text", "position", [0, 1, 1, 0, 1], "class_text of color skips a position"),
        (
            "head_validation",
            "head",
            range(16),
            "head_validation names tiny-known-00000001 L1.H4, which head lacks",
        ),
        ("rotated_metric", "model_key", ["x"] * 3, "rotated_metric names the model x, which model lacks"),
    ],
)
def test_a_row_that_contradicts_another_is_found_before_publishing(out, table, column, values, message):
    with BundleWriter(out, input_id="x") as writer:
        for name, rows in bundles.tables().items():
            writer.write(name, rows.assign(**{column: values}) if name == table else rows)

        with pytest.raises(StoreError, match=message):
            writer.finish()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"model_key": "x"}, "first_view names the model x, which model lacks"),
        ({"layer": 1, "head": 9}, "first_view names tiny-known-00000001 L1.H9, which head lacks"),
        ({"image_id": "ab"}, "first_view names the image ab, which image lacks"),
        ({"text_id": "ab"}, "first_view names the text ab, which text lacks"),
        ({"against_id": "ab"}, "first_view names the text ab, which text lacks"),
        ({"property": "weather"}, "first_view names the property weather, which property lacks"),
        ({"attribute": "weather"}, "first_view names the attribute weather, which class_text lacks"),
    ],
)
def test_a_first_view_of_what_is_not_there_is_found_before_publishing(out, row, message):
    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        writer.write(
            "first_view", pd.DataFrame([{"model_key": bundles.MODEL_KEY, "page": "head", "value": 1.0} | row])
        )

        with pytest.raises(StoreError, match=message):
            writer.finish()


@pytest.mark.parametrize(
    ("attributes", "values", "message"),
    [
        (["color"] * 3 + ["shape"], ["red", "green", "blue", "circle"], "4 rows, but the tables speak of 5"),
        (
            ["color"] * 3 + ["shape"] * 2,
            ["red", "green", "blue", "circle", "star"],
            'classes__.* lack shape "square", which class_text has',
        ),
    ],
)
def test_class_texts_without_their_own_vectors_are_found_before_publishing(out, attributes, values, message):
    key = bundles.CONTROL_KEY
    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        bundles.write_vectors(writer, bundles.MODEL_KEY)
        writer.write_heads(key, bundles.spaces(key))
        writer.write_classes(key, attributes, values, bundles.class_embeddings(key)[: len(values)])

        with pytest.raises(StoreError, match=message):
            writer.finish()


def test_class_vectors_without_class_texts_are_found_before_publishing(out):
    with BundleWriter(out, input_id="x") as writer:
        for name, rows in bundles.tables().items():
            writer.write(name, rows.head(0) if name in ("class_text", "head_validation") else rows)
        for key in bundles.MODELS:
            bundles.write_vectors(writer, key)

        with pytest.raises(StoreError, match=f"vectors classes__{bundles.MODEL_KEY} belong to no model"):
            writer.finish()


def test_many_contradictions_are_counted_and_not_all_read(copy):
    edit(copy, "insert into image_attribute select 'x' || i, 'color', 'red' from range(500) t(i)")

    found = verify.problems(copy)

    assert len(found) == checks.MAX_CONTRADICTIONS + 1
    assert found[-1] == "the tables have 400 more contradictions"
