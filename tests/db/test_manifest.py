"""The manifest: facts, checksums and files, in plain JSON."""

import json
import os

import pytest

from db import bundle as commands
from db import verify
from db.connection import open_bundle
from db.errors import BundleDamaged
from db.layout import DATABASE, MANIFEST, VECTORS
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.imported import mixed_tables, write_mixed
from tests.support.places import edit, seal


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


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    bundle = open_bundle(write_mixed(tmp_path_factory.mktemp("mixed") / "bundle", mixed_tables()))
    yield bundle
    bundle.close()


def test_the_manifest_tells_which_models_have_vectors(mixed):
    assert {model["model_key"]: model["has_vectors"] for model in mixed.manifest["models"]} == {
        MODEL_KEY: True,
        CONTROL_KEY: False,
    }


def test_the_manifest_is_json_that_any_reader_takes(mixed):
    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    text = (mixed.path / MANIFEST).read_text(encoding="utf-8")

    assert json.loads(text, parse_constant=refuse) == mixed.manifest


def test_verify_finds_a_sound_bundle_sound(tiny, capsys):
    assert commands.main(["verify", str(tiny.path)]) == 0
    assert "sound" in capsys.readouterr().out


@pytest.mark.parametrize("part", [DATABASE, f"{VECTORS}/images__{MODEL_KEY}.lance/data"])
def test_verify_finds_one_damaged_byte(copy, part):
    file = copy / part if (copy / part).is_file() else next((copy / part).iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    assert verify.problems(copy) == [
        f"{file.relative_to(copy).as_posix()} has changed (its checksum differs)"
    ]


def test_verify_finds_files_lost_cut_and_added(copy):
    listed = sorted(json.loads((copy / MANIFEST).read_text())["files"])
    lost, cut = listed[-1], listed[0]
    (copy / lost).unlink()
    os.truncate(copy / cut, 100)
    (copy / "notes.txt").write_text("mine")

    found = verify.problems(copy)

    assert found[0] == f"{lost} is missing"
    assert found[1].startswith(f"{cut} has 100 bytes, but had ")
    assert found[2] == "notes.txt is not in the manifest"


@pytest.mark.parametrize(
    ("table", "message"),
    [("image_set", "the table image_set has no row"), ("text_pool", "the table text_pool has no row")],
)
def test_a_table_without_its_row_is_no_traceback(copy, table, message):
    edit(copy, f"delete from {table}")

    assert message in verify.problems(copy)[0]
    with pytest.raises(BundleDamaged, match=message):
        open_bundle(copy)


def test_a_number_beyond_all_floats_is_no_traceback(copy):
    seal(copy, max_sum_error=10**400)

    with pytest.raises(BundleDamaged, match='"max_sum_error" is not a number or null'):
        open_bundle(copy)
