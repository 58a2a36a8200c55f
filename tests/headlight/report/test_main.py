"""`headlight report`: what it prints, and its exit codes."""

from headlight.report.__main__ import main


def test_a_bundle_that_is_not_there_is_refused_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "none"), str(tmp_path / "out")]) == 1

    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_file_to_open_is_printed(tiny_bundle, tmp_path, capsys):
    out = tmp_path / "out"

    assert main([str(tiny_bundle), str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out / 'index.html'}  (")
    assert main([str(tiny_bundle), str(out)]) == 1
    assert "--replace" in capsys.readouterr().err
