"""The commands for bundles: show, verify and zip."""

import os
import subprocess
import sys
import zipfile

import pytest

from db import bundle as commands
from db.connection import open_bundle
from db.layout import DATABASE
from tests.support.bundles import MODEL_KEY
from tests.support.paths import ROOT
from tests.support.places import edit


def test_a_zip_is_not_overwritten_unasked(tiny, tmp_path, capsys):
    (tmp_path / "demo.zip").write_text("mine")

    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip")]) == 2

    assert "is there already. Add --replace" in capsys.readouterr().err
    assert (tmp_path / "demo.zip").read_text() == "mine"


def test_only_a_zip_of_a_bundle_is_replaced(tiny, tmp_path, capsys):
    (tmp_path / "photo.jpg").write_text("mine")
    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip")]) == 0

    assert commands.main(["zip", str(tiny.path), str(tmp_path / "photo.jpg"), "--replace"]) == 2
    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip"), "--replace"]) == 0

    assert "is not a zip of a bundle, so it is left alone" in capsys.readouterr().err
    assert (tmp_path / "photo.jpg").read_text() == "mine"


def test_a_linked_zip_stays_a_link(tiny, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "demo.zip").symlink_to("disk/demo.zip")

    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip")]) == 0

    assert (tmp_path / "demo.zip").is_symlink()
    assert (tmp_path / "disk" / "demo.zip").is_file()


def test_a_zip_holds_only_what_the_manifest_names(copy, tmp_path):
    (copy / "notes.txt").write_text("mine")
    (copy / "passwords").symlink_to("/etc/passwd")

    assert commands.main(["zip", str(copy), str(tmp_path / "demo.zip")]) == 0

    with zipfile.ZipFile(tmp_path / "demo.zip") as archive:
        assert not [name for name in archive.namelist() if name.endswith(("notes.txt", "passwords"))]


def test_a_zip_is_not_written_into_its_own_bundle(copy, capsys):
    assert commands.main(["zip", str(copy), str(copy / "demo.zip")]) == 2
    assert "lies in the bundle itself" in capsys.readouterr().err


def test_show_prints_what_the_bundle_is(tiny, capsys):
    assert commands.main(["show", str(tiny.path)]) == 0

    printed = capsys.readouterr().out
    assert "input_id tiny" in printed
    assert "scenes: 12 distinct in 14 files, 1 failed" in printed
    assert f"{MODEL_KEY}: tiny/known, 2 layers x 2 heads" in printed
    assert "tiny/random, a control of tiny/known, 2 layers" in printed


def test_show_imports_neither_pandas_nor_lancedb(tiny):
    """They take longer than all else that it does."""
    code = "import sys; from headlight.__main__ import main; main(['bundle', 'show', sys.argv[1]]); "
    code += "print({'numpy', 'pandas', 'pyarrow', 'lancedb'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code, tiny.path], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert shown.stdout.endswith("set()\n")


def test_verify_names_a_missing_bundle(tmp_path, capsys):
    assert commands.main(["verify", str(tmp_path / "demo")]) == 2
    assert "error: no bundle at" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [0, 5e9])
def test_files_of_any_date_are_zipped(copy, tmp_path, seconds):
    """Archives made to be reproducible set every date to 1970; a zip begins with 1980."""
    os.utime(copy / DATABASE, (seconds, seconds))

    assert commands.main(["zip", str(copy), str(tmp_path / "demo.zip")]) == 0
    open_bundle(tmp_path / "demo.zip").close()


def test_a_folder_that_is_not_utf_8_is_zipped(copy, tmp_path):
    folder = copy.rename(tmp_path / os.fsdecode(b"caf\xe9"))

    assert commands.main(["zip", str(folder), str(tmp_path / "demo.zip")]) == 0
    open_bundle(tmp_path / "demo.zip").close()


def test_show_of_a_model_that_lacks_a_fact_is_no_traceback(copy, capsys):
    edit(copy, "update model set layers = null")

    assert commands.main(["show", str(copy)]) == 0
    assert "? layers x 2 heads" in capsys.readouterr().out


def test_a_text_of_a_bundle_does_not_move_the_cursor(copy, capsys):
    edit(copy, "update image_set set name = chr(27) || '[2J' || chr(10) || 'sound'")
    (copy / "a\x1b[2J\nsound").write_text("x")

    assert commands.main(["show", str(copy)]) == 0
    assert r"images  \x1b[2J\nsound: 12" in capsys.readouterr().out
    assert commands.main(["verify", str(copy)]) == 1
    assert r"a\x1b[2J\nsound" in capsys.readouterr().out


def test_a_message_does_not_move_the_cursor(tmp_path, capsys):
    assert commands.main(["show", str(tmp_path / "\x1b[2J")]) == 2
    assert r"/\x1b[2J." in capsys.readouterr().err
