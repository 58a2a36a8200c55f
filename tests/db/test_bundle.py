"""The commands for bundles: show, verify and zip."""

from db import bundle as commands
from tests.support.bundles import MODEL_KEY


def test_a_zip_is_not_overwritten_unasked(tiny, tmp_path, capsys):
    (tmp_path / "demo.zip").write_text("mine")

    assert commands.main(["zip", str(tiny.path), str(tmp_path / "demo.zip")]) == 2

    assert "is there already. Add --replace" in capsys.readouterr().err
    assert (tmp_path / "demo.zip").read_text() == "mine"


def test_show_prints_what_the_bundle_is(tiny, capsys):
    assert commands.main(["show", str(tiny.path)]) == 0

    printed = capsys.readouterr().out
    assert "input_id tiny" in printed
    assert "scenes: 12 distinct in 14 files, 1 failed" in printed
    assert f"{MODEL_KEY}: tiny/known, 2 layers x 2 heads" in printed
    assert "tiny/random, a control of tiny/known, 2 layers" in printed


def test_verify_names_a_missing_bundle(tmp_path, capsys):
    assert commands.main(["verify", str(tmp_path / "demo")]) == 2
    assert "error: no bundle at" in capsys.readouterr().err
