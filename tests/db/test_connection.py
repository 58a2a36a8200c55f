"""Opening a bundle and asking it: what is refused, and what a crafted database may not do."""

import json
import shutil
import zipfile

import duckdb
import numpy as np
import pandas as pd
import pytest

from db import bundle as commands
from db import queries, vectors
from db.connection import cursor, is_current, open_bundle, query
from db.diff import diff
from db.errors import BundleDamaged, BundleFormat, BundleMissing, BundleReplaced, QueryError, StoreError
from db.layout import DATABASE, FORMAT, MANIFEST, VECTORS
from tests.support import bundles
from tests.support.bundles import MODEL_KEY
from tests.support.places import edit, seal


def test_a_view_in_place_of_a_table_reads_no_file_of_the_machine(tiny_bundle, tmp_path):
    """The database of a bundle comes from others: external access is off before anything in it is read."""
    bundle = shutil.copytree(tiny_bundle, tmp_path / "crafted")
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    with duckdb.connect() as connection:
        connection.execute(f"attach '{bundle / DATABASE}' as crafted")
        connection.execute("drop table crafted.bundle")
        connection.execute(
            f"create view crafted.bundle as select {FORMAT} as format from read_text('{secret}')"
        )
    seal(bundle)

    with pytest.raises(BundleDamaged, match=r"it holds the view main\.bundle, which is none of ours"):
        open_bundle(bundle)


def test_a_missing_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleMissing, match='demo. .*"headlight demo"'):
        open_bundle(tmp_path / "demo")


def test_a_folder_that_is_no_bundle_says_so(tmp_path):
    with pytest.raises(BundleMissing, match="no bundle at"):
        open_bundle(tmp_path)


def test_a_bundle_of_another_format_is_refused_by_number(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": FORMAT + 1}))

    with pytest.raises(BundleFormat, match=f"format {FORMAT + 1}, .* format {FORMAT}"):
        open_bundle(copy)


def test_a_manifest_of_another_bundle_is_refused(copy):
    edit(copy, f"update bundle set format = {FORMAT + 1}")

    with pytest.raises(BundleDamaged, match=f"does not say format {FORMAT}"):
        open_bundle(copy)


@pytest.mark.parametrize("name", [DATABASE, VECTORS])
def test_a_bundle_without_one_of_its_parts_is_refused_by_name(copy, name):
    (copy / name).rename(copy.with_name("elsewhere"))

    with pytest.raises(BundleDamaged, match=f"has no {name}"):
        open_bundle(copy)


@pytest.mark.parametrize("name", [DATABASE, MANIFEST])
def test_a_file_of_nonsense_is_damage(copy, name):
    (copy / name).write_bytes(b"nonsense" * 1000)
    if name != MANIFEST:
        seal(copy)

    with pytest.raises(BundleDamaged, match=f"{name} of .* cannot be read"):
        open_bundle(copy)


def test_a_zip_is_opened_like_a_directory_and_leaves_nothing(tiny, tmp_path):
    out = tmp_path / "demo.zip"
    assert commands.main(["zip", str(tiny.path), str(out)]) == 0

    bundle = open_bundle(out)

    assert len(queries.heads(bundle, model_key=MODEL_KEY)) == 4
    assert vectors.gallery(bundle, MODEL_KEY) == bundles.GALLERY
    assert diff(tiny, bundle) == []
    bundle.close()
    assert [path.name for path in tmp_path.iterdir()] == ["demo.zip"]


def test_a_zip_of_bare_files_is_opened_too(tiny, tmp_path):
    with zipfile.ZipFile(tmp_path / "bare.zip", "w") as archive:
        for path in sorted(tiny.path.rglob("*")):
            archive.write(path, path.relative_to(tiny.path))

    assert open_bundle(tmp_path / "bare.zip").manifest == tiny.manifest


def test_a_file_that_is_no_zip_says_so(tmp_path):
    (tmp_path / "demo.zip").write_text("mine")

    with pytest.raises(BundleMissing, match="nor a zip"):
        open_bundle(tmp_path / "demo.zip")


@pytest.mark.parametrize(
    "sql",
    [
        "insert into property values ('x', 1)",
        "delete from head",
        "drop table head",
        "create table mine as select 1",
        "attach 'other.duckdb'",
        "copy head to 'heads.csv'",
        "set threads = 1",
        "set enable_external_access = true",
        "select * from read_text('/etc/hostname')",
        "select * from '/etc/hostname'",
    ],
)
def test_an_open_bundle_refuses_to_write_and_to_leave_its_file(tiny, sql):
    with pytest.raises(QueryError):
        query(tiny, sql)


def test_a_query_does_not_read_variables_of_the_process(tiny):
    secret = pd.DataFrame({"a": [1]})

    with pytest.raises(QueryError, match="secret"):
        query(tiny, "select * from secret")

    assert len(secret) == 1


def test_a_wrong_query_says_what_duckdb_says(tiny):
    with pytest.raises(StoreError, match='"nope" not found'):
        query(tiny, "select nope from head")


def test_missing_values_have_plain_types(tiny):
    rows = query(
        tiny, "select * from (values (1, true, 'x', 'b'::blob), (null, null, null, null)) t(i, b, s, x)"
    )

    assert rows["i"].dtype == np.float64
    assert rows["b"].tolist() == [True, None]
    assert rows["s"].isna().tolist() == [False, True]
    assert rows["x"].tolist() == [b"b", None]


def test_two_bundles_open_side_by_side(tiny):
    again = open_bundle(tiny.path)

    again.close()

    assert len(queries.models(tiny)) == 2
    with pytest.raises(duckdb.Error):
        cursor(again)


def test_a_replaced_bundle_is_refused_rather_than_mixed_with_the_new_one(taken):
    bundle = open_bundle(taken)
    vectors.gallery(bundle, MODEL_KEY)
    assert is_current(bundle)

    bundles.write_bundle(taken, replace=True)

    assert not is_current(bundle)
    with pytest.raises(BundleReplaced, match="replaced or removed"):
        vectors.gallery(bundle, MODEL_KEY)


@pytest.mark.parametrize("name", ["a" * 300, "a/" * 3000])
def test_a_path_that_is_too_long_is_no_traceback(name):
    with pytest.raises(StoreError, match="cannot be read: File name too long"):
        open_bundle(name)
