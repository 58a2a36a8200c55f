"""Opening, verifying, comparing and sending bundles."""

import json
import os
import re
import shutil
import zipfile
from pathlib import Path

import duckdb
import pytest

from db import bundle as commands
from db import queries, vectors
from db.connection import Bundle, open_bundle
from db.diff import TOLERANCE, diff, table_differences
from db.errors import BundleDamaged, BundleFormat, BundleMissing
from db.layout import DATABASE, FORMAT, MANIFEST, VECTORS
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, MODEL_KEY


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Bundle:
    return open_bundle(bundles.write_bundle(tmp_path_factory.mktemp("tiny") / "demo"))


@pytest.fixture
def copy(tiny, tmp_path) -> Path:
    """A copy of the tiny bundle, to be harmed."""
    return shutil.copytree(tiny.path, tmp_path / "copy")


def edit(bundle: Path, sql: str) -> None:
    """Change the tables of a copy, as no one should."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{bundle / DATABASE}' as headlight")
        connection.execute("use headlight")
        connection.execute(sql)


def test_a_missing_bundle_says_how_to_make_one(tmp_path):
    with pytest.raises(BundleMissing, match='no bundle at .*demo. Make one with "headlight demo"'):
        open_bundle(tmp_path / "demo")


def test_a_folder_that_is_no_bundle_says_so(tmp_path):
    with pytest.raises(BundleMissing, match="no bundle at"):
        open_bundle(tmp_path)


def test_a_bundle_of_another_format_is_refused_by_number(copy):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, "format": 7}))

    with pytest.raises(
        BundleFormat, match=f"has format 7, this Headlight reads format {FORMAT}. Build it again"
    ):
        open_bundle(copy)


def test_a_manifest_of_another_bundle_is_refused(copy):
    edit(copy, "update bundle set format = 7")

    with pytest.raises(BundleDamaged, match="do not belong together"):
        open_bundle(copy)


@pytest.mark.parametrize("name", [DATABASE, VECTORS])
def test_a_bundle_without_one_of_its_parts_is_refused_by_name(copy, name):
    (copy / name).rename(copy.with_name("elsewhere"))

    with pytest.raises(BundleDamaged, match=f"has no {name}"):
        open_bundle(copy)


@pytest.mark.parametrize("name", [DATABASE, MANIFEST])
def test_a_file_of_nonsense_is_damage(copy, name):
    (copy / name).write_bytes(b"nonsense" * 1000)

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


def test_a_zip_is_not_overwritten_unasked(tiny, tmp_path, capsys):
    (tmp_path / "demo.zip").write_text("mine")

    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip")]) == 2

    assert "is there already. Add --replace" in capsys.readouterr().err
    assert (tmp_path / "demo.zip").read_text() == "mine"


def test_a_file_that_is_no_zip_says_so(tmp_path):
    (tmp_path / "demo.zip").write_text("mine")

    with pytest.raises(BundleMissing, match="neither a bundle's directory nor a zip"):
        open_bundle(tmp_path / "demo.zip")


def test_show_prints_what_the_bundle_is(tiny, capsys):
    assert commands.main(["show", str(tiny.path)]) == 0

    printed = capsys.readouterr().out
    assert "input_id tiny" in printed
    assert "scenes: 12 distinct in 14 files, 1 failed" in printed
    assert f"{MODEL_KEY}: tiny/known, 2 layers x 2 heads" in printed
    assert "tiny/random, a control of tiny/known, 2 layers" in printed


def test_verify_finds_a_sound_bundle_sound(tiny, capsys):
    assert commands.main(["verify", str(tiny.path)]) == 0
    assert "sound" in capsys.readouterr().out


@pytest.mark.parametrize("part", [DATABASE, f"{VECTORS}/images__{MODEL_KEY}.lance/data"])
def test_verify_finds_one_damaged_byte(copy, part):
    file = copy / part if (copy / part).is_file() else next((copy / part).iterdir())
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)

    assert commands.problems(copy) == [
        f"{file.relative_to(copy).as_posix()} has changed (its checksum differs)"
    ]


def test_verify_finds_files_lost_cut_and_added(copy):
    listed = sorted(json.loads((copy / MANIFEST).read_text())["files"])
    lost, cut = listed[-1], listed[0]
    (copy / lost).unlink()
    os.truncate(copy / cut, 100)
    (copy / "notes.txt").write_text("mine")

    found = commands.problems(copy)

    assert found[:2] == [f"{lost} is missing", "notes.txt is not in the manifest"]
    assert found[2].startswith(f"{cut} has 100 bytes, but had ")


def test_verify_names_a_missing_bundle(tmp_path, capsys):
    assert commands.main(["verify", str(tmp_path / "demo")]) == 2
    assert "error: no bundle at" in capsys.readouterr().err


def test_a_bundle_is_the_same_as_itself_and_its_copy(tiny, copy, capsys):
    assert commands.main(["diff", str(tiny.path), str(copy)]) == 0
    assert capsys.readouterr().out == "the same\n"


def test_diff_finds_one_changed_number(tiny, copy, capsys):
    edit(
        copy, f"update head set importance = 0.41 where model_key = '{MODEL_KEY}' and layer = 1 and head = 0"
    )

    assert commands.main(["diff", str(tiny.path), str(copy)]) == 1
    assert (
        f"head.importance: {MODEL_KEY} 1 0 is 0.4 in the first, 0.41 in the second" in capsys.readouterr().out
    )
    assert commands.main(["diff", str(tiny.path), str(copy), "--tolerance", "0.1"]) == 0


def test_diff_lets_the_last_digits_of_a_number_be(tiny, copy):
    edit(copy, "update head set importance = importance * 1.000001")

    assert list(table_differences(tiny, open_bundle(copy), TOLERANCE)) == []


FIRST_HEAD = f"model_key = '{MODEL_KEY}' and layer = 1 and head = 0"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("delete from published", "published: tiny/known entanglement A paper, .* is missing in the second"),
        ("insert into property values ('music', 0)", "property: music is missing in the first"),
        ("delete from class_text where value = 'red'", "class_text: color red is missing in the second"),
        (
            f"update head_validation set direct = null where attribute = 'color' and {FIRST_HEAD}",
            "head_validation.direct: .* color is 0.04 in the first, nan in the second",
        ),
        (
            "update validation_score set value = 0.1 where subject_kind = 'nothing' and attribute = 'color' "
            f"and model_key = '{MODEL_KEY}'",
            "validation_score.value: .* mean_ablation accuracy nothing +color  0 is 0.9 in the first, 0.1 in",
        ),
        (
            "update rotated_metric set high = 1 where metric = 'uniqueness'",
            "rotated_metric.high: .* uniqueness all is 0.9 in the first, 1.0 in the second",
        ),
        (
            "update model set control_of = null where is_control",
            "model.control_of: .* is tiny/known in the first, None in the second",
        ),
        ("update text set text = 'x' where position = 0", "text.text: .* is a photo .* in the first, x in"),
        (f"update image set thumbnail = 'x'::blob where image_id = '{IMAGE_IDS[0]}'", "image.thumbnail: "),
        (f"update model set mean = [0.5, 0.5, 0.4] where model_key = '{MODEL_KEY}'", "model.mean: "),
        (
            f"update head_metric set value = 1 where metric = 'stability' and {FIRST_HEAD}",
            "head_metric.value: .* is nan in the first, 1.0 in the second",
        ),
        (
            f"update head_label set supported = null where picks = 5 and {FIRST_HEAD}",
            "head_label.supported: .* is True in the first, None in the second",
        ),
    ],
)
def test_diff_finds_rows_texts_blobs_lists_and_missing_values(tiny, copy, sql, expected):
    edit(copy, sql)

    found = list(table_differences(tiny, open_bundle(copy), TOLERANCE))

    assert len(found) == 1
    assert re.match(expected, found[0])


def test_diff_leaves_the_times_of_a_run_alone(tiny, copy):
    edit(copy, "update run set seconds = 99")

    assert list(table_differences(tiny, open_bundle(copy), TOLERANCE)) == []


def test_diff_finds_one_changed_vector(tiny, tmp_path, monkeypatch):
    y = bundles.tokens()
    y[4, 2, 0, 1] += 0.001

    def changed(model_key: str = MODEL_KEY):
        return y if model_key == MODEL_KEY else original(model_key)

    original, spaces = bundles.tokens, bundles.spaces()
    monkeypatch.setattr(bundles, "tokens", changed)
    # The spaces stay as they were, or their mean would differ too.
    monkeypatch.setattr(bundles, "spaces", lambda key=MODEL_KEY: spaces if key == MODEL_KEY else theirs)
    theirs = vectors.head_spaces(tiny, bundles.CONTROL_KEY)
    other = open_bundle(bundles.write_bundle(tmp_path / "other"))

    found = diff(tiny, other)

    assert len(found) == 1
    assert found[0].startswith(f"images__{MODEL_KEY}.L2_H0: {IMAGE_IDS[4]} differs by up to ")


def test_diff_finds_one_changed_class_vector(tiny, tmp_path, monkeypatch):
    changed = bundles.class_embeddings(MODEL_KEY)
    changed[3, 5] += 0.01
    original = bundles.class_embeddings
    monkeypatch.setattr(
        bundles, "class_embeddings", lambda key: changed if key == MODEL_KEY else original(key)
    )

    found = diff(tiny, open_bundle(bundles.write_bundle(tmp_path / "other")))

    assert len(found) == 1
    assert found[0].startswith(f"classes__{MODEL_KEY}.embedding: shape circle differs by up to 0.01")


def test_diff_finds_that_one_bundle_cannot_be_asked(tiny, copy):
    edit(copy, "delete from class_text; delete from head_validation")
    for model_key in bundles.MODELS:
        shutil.rmtree(copy / VECTORS / f"classes__{model_key}.lance")

    found = diff(tiny, open_bundle(copy))

    assert f"classes__{MODEL_KEY}: missing in the second" in found
    assert "class_text: shape circle is missing in the second" in found
