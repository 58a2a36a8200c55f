"""The writer: a bundle appears whole or not at all, and says what does not fit."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from db import queries, vectors
from db.atomic_directory import AtomicDirectory
from db.connection import Bundle, open_bundle, query
from db.diff import diff
from db.errors import BundleBusy, BundleExists, StoreError, UnknownName
from db.layout import DATABASE, FORMAT
from db.store import BundleWriter, ImageTokens, ImageVectors
from tests.support import bundles
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Bundle:
    return open_bundle(bundles.write_bundle(tmp_path_factory.mktemp("tiny") / "demo"))


@pytest.fixture
def out(tmp_path) -> Path:
    """Where to write; nothing is there."""
    return tmp_path / "demo"


@pytest.fixture
def taken(tiny, out) -> Path:
    """Where to write; the tiny bundle is there, with input_id "tiny"."""
    shutil.copytree(tiny.path, out)
    return out


def input_id(out: Path) -> str:
    """What is said by the bundle at `out`."""
    bundle = open_bundle(out)
    found = query(bundle, "select input_id from bundle")["input_id"][0]
    assert found == bundle.manifest["input_id"]
    return found


def left_beside(out: Path) -> list[str]:
    return sorted(path.name for path in out.parent.iterdir())


@pytest.mark.parametrize("table", sorted(bundles.tables()))
def test_every_table_comes_back_as_it_was_written(tiny, table):
    written = bundles.tables()[table]

    found = query(tiny, f'select {", ".join(written.columns)} from "{table}"')

    assert cells(found) == cells(written)


def cells(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows as text, sorted; whatever stands for a missing value is one word."""
    plain = rows.map(lambda cell: cell.tolist() if isinstance(cell, np.ndarray) else cell)
    missing = plain.map(lambda cell: not isinstance(cell, list) and pd.isna(cell))
    return sorted(plain.map(str).mask(missing, "missing").itertuples(index=False, name=None))


def test_the_bundle_table_says_format_and_input_id(tiny):
    assert query(tiny, "select * from bundle").to_dict("records") == [{"format": FORMAT, "input_id": "tiny"}]


def test_the_manifest_says_what_the_bundle_is(tiny):
    manifest = tiny.manifest

    assert manifest["input_id"] == "tiny"
    assert [model["model"] for model in manifest["models"]] == ["tiny/known", "tiny/random"]
    assert manifest["models"][1]["is_control"] is True
    assert manifest["max_sum_error"] == 2.5e-7
    assert manifest["licenses"] == {"images": "CC0-1.0", "texts": "CC0-1.0"}
    assert manifest["method_versions"] == {"textspan": 1}
    assert {"duckdb", "lancedb", "python", "headlight"} <= set(manifest["software"])
    assert manifest["files"][DATABASE]["bytes"] == (tiny.path / DATABASE).stat().st_size


def test_the_database_has_the_storage_version_that_older_ones_read(tiny):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tiny.path / DATABASE}' as b (read_only)")
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'b'").fetchall()

    assert tags[0][0]["storage_version"].startswith("v1.2.0")


def test_an_existing_output_is_refused(taken):
    with pytest.raises(BundleExists, match="demo is there already. Add --replace"):
        BundleWriter(taken, input_id="other")

    assert left_beside(taken) == ["demo"]


def test_an_existing_output_is_replaced_when_asked_and_its_readers_go_on(taken):
    reader = open_bundle(taken)

    bundles.write_bundle(taken, input_id="new", replace=True)

    assert input_id(taken) == "new"
    assert query(reader, "select input_id from bundle")["input_id"][0] == "tiny"
    assert left_beside(taken) == ["demo"]
    assert sorted(path.name for path in taken.iterdir()) == [
        "headlight.duckdb",
        "manifest.json",
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


def test_an_interrupted_replacement_leaves_the_old_bundle(taken):
    with pytest.raises(KeyboardInterrupt), BundleWriter(taken, input_id="new", replace=True):
        raise KeyboardInterrupt

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_a_second_writer_is_refused_while_the_first_writes(out):
    with BundleWriter(out, input_id="x"):
        with pytest.raises(BundleBusy, match="another run is writing"):
            BundleWriter(out, input_id="x")
        assert ".demo.building" in left_beside(out)

    BundleWriter(out, input_id="x").__exit__(None, None, None)
    assert left_beside(out) == []


def test_a_killed_writer_harms_nothing_and_the_next_one_ends_in_the_same_bundle(tiny, taken):
    """
    kill -9 in the middle of writing: the old bundle stays whole, the next run clears up.
    """
    code = (
        "import time; from db.store import BundleWriter; from tests.support import bundles\n"
        f"writer = BundleWriter({str(taken)!r}, input_id='new', replace=True)\n"
        "bundles.write_tables(writer)\n"
        "print('writing', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert ".demo.building" in left_beside(taken)
    assert input_id(taken) == "tiny"

    bundles.write_bundle(taken, replace=True)

    assert left_beside(taken) == ["demo"]
    assert diff(tiny, open_bundle(taken)) == []


def test_a_kill_between_the_two_renames_is_repaired(taken):
    """
    Old bundle moved aside, new one not yet in place: the next writer gives the old one its name back.
    """
    taken.rename(taken.with_name(".demo.old"))
    with pytest.raises(StoreError, match="replacing it was interrupted"):
        open_bundle(taken)

    with BundleWriter(taken, input_id="new", replace=True):
        pass

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_an_interrupt_between_the_two_renames_is_repaired_at_once(taken):
    aside = AtomicDirectory(taken, replace=True)
    taken.rename(taken.with_name(".demo.old"))

    aside.abandon()

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


def test_a_kill_before_the_old_bundle_is_removed_is_repaired(taken):
    shutil.copytree(taken, taken.with_name(".demo.old"))

    with BundleWriter(taken, input_id="new", replace=True):
        pass

    assert input_id(taken) == "tiny"
    assert left_beside(taken) == ["demo"]


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
        with pytest.raises(StoreError, match='table property has no column "name". It has: property, texts.'):
            writer.write("property", pd.DataFrame({"name": ["color"], "texts": [1]}))
        with pytest.raises(StoreError, match='rows for table property lack the column "texts"'):
            writer.write("property", pd.DataFrame({"property": ["color"]}))
        with pytest.raises(UnknownName, match='no table "heads". Tables: bundle, class_text'):
            writer.write("heads", pd.DataFrame())


def test_a_value_that_does_not_fit_is_named(out):
    with BundleWriter(out, input_id="x") as writer:
        writer.write("property", pd.DataFrame({"property": ["color"], "texts": [1]}))

        with pytest.raises(StoreError, match=r"rows do not fit table property: .*color"):
            writer.write("property", pd.DataFrame({"property": ["color"], "texts": [1]}))
        with pytest.raises(StoreError, match=r"rows do not fit table property: .*many"):
            writer.write("property", pd.DataFrame({"property": ["shape"], "texts": ["many"]}))
        with pytest.raises(StoreError, match=r"rows do not fit table property: .*texts"):
            writer.write("property", pd.DataFrame({"property": ["shape"], "texts": [None]}))


def test_empty_rows_are_welcome(out):
    with BundleWriter(out, input_id="x") as writer:
        writer.write("failed_image", pd.DataFrame({"path": [], "reason": []}))


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
    with pytest.raises(UnknownName, match='"color" has no class texts in this bundle. Those that have: none'):
        vectors.class_embeddings(bundle, bundles.MODEL_KEY, "color")


def test_class_vectors_that_do_not_fit_are_refused(out):
    key = bundles.MODEL_KEY
    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(key, bundles.spaces())
        with pytest.raises(StoreError, match='color "red" is given twice. Give each value once'):
            writer.write_classes(key, ["color"] * 2, ["red"] * 2, np.ones((2, 12)))
        with pytest.raises(StoreError, match=r"class embeddings have shape \(1, 11\), but \(1, 12\)"):
            writer.write_classes(key, ["color"], ["red"], np.ones((1, 11)))


def test_vectors_before_their_spaces_are_refused(out):
    with (
        BundleWriter(out, input_id="x") as writer,
        pytest.raises(StoreError, match="Call write_heads before"),
    ):
        writer.write_images("nobody-00000000", [])


def test_images_out_of_order_are_refused_with_the_id(out):
    key, ids = bundles.MODEL_KEY, bundles.IMAGE_IDS
    batch = next(bundles.image_batches(key, 2))

    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(key, bundles.spaces())
        with pytest.raises(StoreError, match=f'id "{ids[0]}" comes after "{ids[1]}"'):
            writer.write_images(key, [batch, batch])


@pytest.mark.parametrize(
    ("embedding", "coordinates", "message"),
    [
        (
            np.zeros((1, 12)),
            np.zeros((1, 2, 2, 4)),
            r"coordinates have shape \(1, 2, 2, 4\), but \(1, 4, 8\)",
        ),
        (np.zeros((1, 11)), np.zeros((1, 2, 2, 8)), r"embedding have shape \(1, 11\), but \(1, 12\)"),
        (np.zeros((1, 12)), np.full((1, 2, 2, 8), np.nan), "coordinates hold a number that is not finite"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(out, embedding, coordinates, message):
    with BundleWriter(out, input_id="x") as writer:
        writer.write_heads(bundles.MODEL_KEY, bundles.spaces())
        with pytest.raises(StoreError, match=message):
            writer.write_images(bundles.MODEL_KEY, [ImageVectors(["a"], embedding, coordinates)])
        with pytest.raises(StoreError, match="token coordinates of a have shape"):
            writer.write_tokens(
                bundles.MODEL_KEY, 5, [ImageTokens("a", np.zeros((2, 2, 4, 8)), np.zeros(12))]
            )


def test_spaces_that_do_not_fit_are_refused(out):
    space = bundles.spaces()
    with BundleWriter(out, input_id="x") as writer:
        with pytest.raises(StoreError, match="do not fit"):
            writer.write_heads("a", space._replace(mean=space.mean[:, :4]))
        with pytest.raises(StoreError, match="not sorted by layer, then head"):
            writer.write_heads("a", space._replace(head=space.head[::-1]))


def test_a_head_that_never_moves_is_stored_as_zeros(out):
    """
    Its scale is 0; dividing by it would store not-a-number.
    """
    key, space, y = bundles.MODEL_KEY, bundles.spaces(), bundles.coordinates()
    scale = space.scale.copy()
    scale[0], y[:, 0] = 0, space.mean[0].astype(np.float64)

    with BundleWriter(out, input_id="x") as writer:
        bundles.write_tables(writer)
        bundles.write_vectors(writer, bundles.CONTROL_KEY)
        writer.write_heads(key, space._replace(scale=scale))
        bundles.write_classes(writer, key)
        writer.write_images(key, [ImageVectors(bundles.IMAGE_IDS, bundles.embeddings(), y)])
        writer.write_texts(key, bundles.TEXT_IDS, bundles.text_embeddings())
        tokens = zip(bundles.GALLERY, bundles.tokens()[::3], bundles.rests()[::3], strict=True)
        writer.write_tokens(key, bundles.TOKENS, (ImageTokens(*image) for image in tokens))
        writer.finish()

    _, found = vectors.image_coordinates(open_bundle(out), key, None, bundles.PAIRS[:1])
    assert np.abs(found).max() == pytest.approx(0, abs=1e-8)


def test_the_error_of_a_stage_reaches_the_caller_as_it_is(out):
    """
    Batches stream through Arrow, which would hand on the error's text only.
    """

    class DiskFull(Exception):
        pass

    def batches():
        yield from bundles.image_batches(bundles.MODEL_KEY, 5)
        raise DiskFull

    with pytest.raises(DiskFull), BundleWriter(out, input_id="x") as writer:
        writer.write_heads(bundles.MODEL_KEY, bundles.spaces())
        writer.write_images(bundles.MODEL_KEY, batches())
