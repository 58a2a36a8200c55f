"""A zip for readers without Headlight: card and Parquet files, checked by verify and never unpacked."""

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from db import bundle as commands
from db import bundle_files, signatures
from db.connection import open_bundle
from db.errors import BundleDamaged
from db.export import table_names
from db.layout import DATABASE, DIGEST, MANIFEST, VECTORS
from db.pack import parquet_problems
from tests.support.places import edit, left_beside, seal


def change(zip_file: Path, name: str, data: bytes, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Replaces one file of a zip, or adds it."""
    with zipfile.ZipFile(zip_file) as old:
        files = {entry: old.read(entry) for entry in old.namelist()}
    with zipfile.ZipFile(zip_file, "w", compression) as new:
        for entry, content in (files | {name: data}).items():
            new.writestr(entry, content)


def test_the_tables_lie_in_the_zip_as_parquet(tiny, packed):
    with zipfile.ZipFile(packed) as archive:
        names = {name for name in archive.namelist() if "/tables/" in name}
        heads = pd.read_parquet(io.BytesIO(archive.read("tiny/tables/head_overview.parquet")))

    assert names == {f"tiny/tables/{name}.parquet" for name in table_names(tiny)}
    assert sorted(set(heads["name"])) == ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]


def test_the_card_says_what_it_is_under_which_licenses_and_how_to_open_it(packed):
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with huggingface_hub")
    with zipfile.ZipFile(packed) as archive:
        card = archive.read("tiny/README.md").decode()
        names = archive.namelist()

    _, header, text = card.split("---\n", 2)
    facts = yaml.safe_load(header)
    assert facts["license"] == "cc0-1.0" and facts["pretty_name"] == "scenes: heads of CLIP models"
    assert {"headlight", "interpretability"} <= set(facts["tags"])
    assert facts["size_categories"] == ["n<1K"] and facts["language"] == ["en"]
    assert facts["configs"][0]["config_name"] == "leaderboard"
    assert {f"tiny/{config['data_files']}" for config in facts["configs"]} < set(names)
    assert "12 images and 10 texts" in text and "Images: CC0-1.0. Thumbnails of 12" in text
    assert (
        "headlight view BUNDLE" in text
        and "@article" in text
        and "@misc{headlight-tiny" in text
        and "Identity `tiny`" in text
    )


@pytest.mark.parametrize(
    ("images", "texts", "name"),
    [("null", "'MIT'", "unknown"), ("'MIT'", "'CC0-1.0'", "other"), ("'my own'", "'my own'", "other")],
)
def test_licenses_that_are_missing_mixed_or_unknown_are_named_so(copy, tmp_path, images, texts, name):
    edit(copy, f"update image_set set license = {images}; update text_pool set license = {texts}")
    values = [None if value == "null" else value.strip("'") for value in (images, texts)]
    seal(copy, licenses=dict(zip(("images", "texts"), values, strict=True)))

    assert commands.main(["zip", str(copy), str(tmp_path / "demo.zip")]) == 0

    with zipfile.ZipFile(tmp_path / "demo.zip") as archive:
        assert f'\nlicense: "{name}"\n' in archive.read("copy/README.md").decode()


def test_a_name_of_a_stranger_is_text_in_the_card(copy, tmp_path):
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with huggingface_hub")
    name = "x\\n---\\n<script>: [a](b)\\n# mine"
    edit(copy, f"update image_set set name = e'{name}'")

    assert commands.main(["zip", str(copy), str(tmp_path / "demo.zip")]) == 0

    with zipfile.ZipFile(tmp_path / "demo.zip") as archive:
        _, header, text = archive.read("copy/README.md").decode().split("---\n", 2)
    assert yaml.safe_load(header)["pretty_name"].startswith("x\n---\n<script>")
    assert "# x --- \\<script\\>: \\[a\\](b) # mine: heads" in text


def test_the_zip_is_the_same_bundle_and_sound(tiny, packed, capsys):
    assert commands.main(["diff", str(tiny.path), str(packed)]) == 0
    assert commands.main(["verify", str(packed)]) == 0
    with zipfile.ZipFile(packed) as archive:  # so that a signature of the manifest holds
        assert archive.read(f"tiny/{MANIFEST}") == (tiny.path / MANIFEST).read_bytes()
    assert left_beside(packed) == ["demo.zip"]


def test_card_and_parquet_files_are_not_unpacked(packed):
    bundle = open_bundle(packed)

    assert {file.name for file in bundle.path.iterdir()} == {DATABASE, DIGEST, MANIFEST, VECTORS}
    bundle.close()


def test_a_zip_that_was_unpacked_by_hand_is_a_sound_bundle(packed, tmp_path, capsys):
    shutil.unpack_archive(packed, tmp_path)

    assert commands.main(["verify", str(tmp_path / "tiny")]) == 0
    assert commands.main(["zip", str(tmp_path / "tiny"), str(tmp_path / "again.zip")]) == 0
    with zipfile.ZipFile(packed) as first, zipfile.ZipFile(tmp_path / "again.zip") as second:
        assert first.namelist() == second.namelist()


def rows_of(zip_file: Path, name: str) -> bytes:
    with zipfile.ZipFile(zip_file) as archive:
        return archive.read(f"tiny/tables/{name}.parquet")


def without_first_row(data: bytes) -> bytes:
    out = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(data)).slice(1), out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["head", "leaderboard", "image"])
def test_a_parquet_file_with_other_rows_is_named_by_verify(zip_file, tmp_path, capsys, name):
    change(zip_file, f"tiny/tables/{name}.parquet", without_first_row(rows_of(zip_file, name)))
    shutil.unpack_archive(zip_file, tmp_path / "folder")

    for path in (zip_file, tmp_path / "folder" / "tiny"):
        assert commands.main(["verify", str(path)]) == 1
        assert f"tables/{name}.parquet differs from the table {name}" in capsys.readouterr().out
    open_bundle(zip_file).close()


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1 of something else PAR1", b"x" * 10**6])
def test_a_file_that_is_no_parquet_is_named_by_verify(zip_file, capsys, data):
    change(zip_file, "tiny/tables/head.parquet", data)

    assert commands.main(["verify", str(zip_file)]) == 1
    assert "tables/head.parquet differs from the table head" in capsys.readouterr().out


def test_a_table_of_another_name_is_named_by_verify(zip_file, capsys):
    change(zip_file, "tiny/tables/more.parquet", rows_of(zip_file, "head"))

    assert commands.main(["verify", str(zip_file)]) == 1
    assert "tables/more.parquet differs from the table more" in capsys.readouterr().out


def test_a_parquet_file_that_unpacks_too_far_is_not_read(tiny, zip_file, monkeypatch):
    change(zip_file, "tiny/tables/head.parquet", b"\0" * 10**6)
    monkeypatch.setattr("db.unpacked_zip.max_unpacked", lambda size: 10**6 - 1)

    (problem,) = parquet_problems(tiny, zip_file)

    assert "tables/head.parquet has 1000000 bytes" in problem


@pytest.mark.parametrize(
    "name",
    ["tables/head.csv", "tables/a/head.parquet", "tables/../head.parquet", "more/README.md", "readme.md"],
)
def test_no_other_file_may_lie_beside_the_bundle(zip_file, name):
    change(zip_file, f"tiny/{name}", b"x")

    with pytest.raises(BundleDamaged, match=r"which its manifest does not name"):
        open_bundle(zip_file)


def test_a_folder_with_a_card_of_its_own_is_not_replaced(copy):
    """What may lie beside a bundle is still not part of it."""
    (copy / "README.md").write_text("mine")
    listing = bundle_files.list_files(copy)

    assert bundle_files.unlisted(listing, json.loads((copy / MANIFEST).read_text())["files"]) == [
        "README.md is not in the manifest"
    ]


def test_a_signature_holds_for_the_zip(copy, tmp_path, capsys):
    key = tmp_path / "key"
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs OpenSSH")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    signatures.sign(copy, key)

    assert commands.main(["zip", str(copy), str(tmp_path / "demo.zip")]) == 0
    assert commands.main(["verify", str(tmp_path / "demo.zip"), "--signed-by", f"{key}.pub"]) == 0
