"""An installation says what it lacks, and what stands in its way."""

import subprocess
import sys

from headlight.__main__ import main
from tests.support.paths import ROOT


def test_a_library_that_is_not_installed_is_named_with_its_extra(monkeypatch, capsys):
    for library in [name for name in sys.modules if name.split(".")[0] in ("openai", "precompute")]:
        monkeypatch.delitem(sys.modules, library)
    monkeypatch.setitem(sys.modules, "jaxtyping", None)

    assert main(["models"]) == 1
    assert 'pip install "headlight-clip[precompute]"' in capsys.readouterr().err


def test_a_folder_named_like_one_of_ours_is_named_as_the_intruder(tmp_path):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "__init__.py").write_text("raise SystemExit('this must not run')")
    code = f"import sys; sys.path.insert(1, {str(ROOT)!r}); import headlight"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)

    assert done.returncode == 1
    assert f'another package "db", {tmp_path / "db"}' in done.stderr
