"""A copy of a bundle says what the first says, but for what was changed; the first stays as it was."""

import os
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from db import rewrite, verify
from db.connection import Bundle, open_bundle, query
from db.diff import diff
from db.errors import BundleExists, BundleReplaced, StoreError
from db.rewrite import inherited_facts
from tests.support.bundles import MODEL_KEY, PAIRS

HEAD = {"model_key": MODEL_KEY, "layer": PAIRS[0][0], "head": PAIRS[0][1]}
PERSONAL = pd.DataFrame([{**HEAD, "method": "person", "picks": 0, "label": "mood", "chosen": False}])


@pytest.fixture
def tiny(tiny_bundle, tmp_path):
    """A copy of the tiny bundle's files, which a test may harm."""
    bundle = open_bundle(shutil.copytree(tiny_bundle, tmp_path / "tiny"))
    yield bundle
    bundle.close()


def rewritten(source: Bundle, out: Path, change=lambda writer: None, **options) -> Bundle:
    with rewrite.open_copy(source, out, **({"input_id": "tiny"} | options)) as writer:
        change(writer)
        writer.finish(inherited_facts(source))
    return open_bundle(out)


def test_a_copy_without_changes_is_the_same_and_sound(tiny, tmp_path):
    copy = rewritten(tiny, tmp_path / "copy")

    assert diff(tiny, copy) == []
    assert verify.problems(copy.path) == verify.problems(tiny.path) == []
    assert copy.manifest["software"] == tiny.manifest["software"]
    assert copy.manifest["method_versions"] == tiny.manifest["method_versions"]


def test_vectors_are_the_same_files_under_a_second_name(tiny, tmp_path):
    copy = rewritten(tiny, tmp_path / "copy")

    files = [file for file in copy.path.glob("vectors.lance/**/*") if file.is_file()]
    assert files
    assert all(os.path.samefile(file, tiny.path / file.relative_to(copy.path)) for file in files)


def test_vectors_are_copied_where_no_link_can_be_made(tiny, tmp_path, monkeypatch):
    """As between two disks, which a test has not."""

    def refuse(source, target):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    copy = rewritten(tiny, tmp_path / "copy")

    assert verify.problems(copy.path) == []
    files = [file for file in copy.path.glob("vectors.lance/**/*") if file.is_file()]
    assert files
    assert not any(os.path.samefile(file, tiny.path / file.relative_to(copy.path)) for file in files)


def test_a_copy_outlives_its_source(tiny, tmp_path):
    copy = rewritten(tiny, tmp_path / "copy")

    shutil.rmtree(tiny.path)

    assert verify.problems(copy.path) == []


def test_rows_are_removed_by_the_columns_given(tiny, tmp_path):
    count = "select count(*) as n from judgement"
    own = f"{count} where layer = {HEAD['layer']} and head = {HEAD['head']} and model_key = '{MODEL_KEY}'"

    copy = rewritten(
        tiny, tmp_path / "copy", lambda writer: rewrite.remove(writer, "judgement", pd.DataFrame([HEAD]))
    )

    assert query(copy, own)["n"][0] == 0
    assert query(tiny, own)["n"][0] > 0
    assert query(copy, count)["n"][0] == query(tiny, count)["n"][0] - query(tiny, own)["n"][0]


def choose_personal(writer):
    """Gives one head a label of its own, in every table that names labels."""
    writer.write("head_label", PERSONAL)
    rewrite.choose_labels(writer, PERSONAL[["model_key", "layer", "head", "method", "picks"]])
    rewrite.remove(writer, "property_head", pd.DataFrame([HEAD]))
    writer.write("property_head", pd.DataFrame([{**HEAD, "property": "mood"}]))
    writer.write("property", pd.DataFrame({"property": ["mood"], "texts": [0]}))


def test_a_chosen_label_takes_the_place_of_the_one_before(tiny, tmp_path):
    copy = rewritten(tiny, tmp_path / "copy", choose_personal)

    shown = "select model_key, layer, head, label from head_label where chosen order by all"
    before, after = query(tiny, shown), query(copy, shown)
    changed = (before != after).any(axis=1)
    assert after[changed].to_dict("records") == [{**HEAD, "label": "mood"}]


def test_written_rows_can_be_queried_before_publication(tiny, tmp_path):
    found = {}

    def choose(writer):
        choose_personal(writer)
        found["labels"] = rewrite.chosen_labels(writer)
        found["judgements"] = rewrite.chosen_judgements(writer)

    rewritten(tiny, tmp_path / "copy", choose).close()

    own = found["labels"].set_index(["model_key", "layer", "head"]).loc[tuple(HEAD.values())]
    assert (own["label"], own["method"], own["supported"], own["texts"]) == ("mood", "person", False, 0)
    judged = found["judgements"]
    assert not (
        (judged["model_key"] == MODEL_KEY) & (judged[["layer", "head"]] == PAIRS[0]).all(axis=1)
    ).any()


def test_a_copy_that_contradicts_itself_is_not_published(tiny, tmp_path):
    def forget(writer):
        rewrite.choose_labels(
            writer, PERSONAL[["model_key", "layer", "head", "method", "picks"]]
        )  # never written

    with pytest.raises(StoreError, match="has 0 chosen labels"):
        rewritten(tiny, tmp_path / "copy", forget)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny"]


def test_an_unknown_column_is_named(tiny, tmp_path):
    def mistake(writer):
        rewrite.remove(writer, "judgement", pd.DataFrame({"judges": ["a"]}))

    with pytest.raises(StoreError, match='table judgement has no column "judges"'):
        rewritten(tiny, tmp_path / "copy", mistake)


def test_what_is_there_is_replaced_only_if_asked(tiny, tmp_path):
    rewritten(tiny, tmp_path / "copy").close()

    with pytest.raises(BundleExists, match="--replace"):
        rewritten(tiny, tmp_path / "copy")
    rewritten(tiny, tmp_path / "copy", input_id="other", replace=True).close()

    assert open_bundle(tmp_path / "copy").manifest["input_id"] == "other"


def test_a_bundle_may_take_its_own_place(tiny):
    rewritten(tiny, tiny.path, input_id="other", replace=True).close()

    assert verify.problems(tiny.path) == []
    assert open_bundle(tiny.path).manifest["input_id"] == "other"


def test_a_source_that_was_replaced_meanwhile_is_refused(tiny, tmp_path):
    (tiny.path / "manifest.json").touch()

    with pytest.raises(BundleReplaced):
        rewritten(tiny, tmp_path / "copy")


def test_a_zip_is_copied_as_its_directory_is(tiny, tmp_path):
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as archive:
        for file in tiny.path.rglob("*"):
            archive.write(file, file.relative_to(tiny.path.parent))
    packed = open_bundle(tmp_path / "tiny.zip")

    copy = rewritten(packed, tmp_path / "copy")
    packed.close()

    assert verify.problems(copy.path) == []
    assert copy.manifest["models"] == tiny.manifest["models"]
