"""The command `headlight`: what a person types, from any folder."""

import re
import subprocess
import sys

import pytest

import headlight
from headlight.__main__ import COMMANDS, HELP, PRECOMPUTE, main
from precompute import __main__ as precompute
from tests.support.paths import ROOT


def run(*arguments: str, cwd=ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "headlight", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={"PYTHONPATH": str(ROOT)})


def test_help_names_every_command(capsys):
    assert main([]) == 0

    assert capsys.readouterr().out == HELP
    listed = re.findall(r"^  ([a-z-]+(?:,? [a-z-]+)*)  ", HELP, re.MULTILINE)
    assert {name for line in listed for name in line.split(", ")} == set(COMMANDS)
    assert set(PRECOMPUTE) == set(precompute.COMMANDS)


def test_the_version_is_printed(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"headlight {headlight.__version__}\n"


def test_an_unknown_command_is_refused_with_those_there_are(capsys):
    assert main(["veiw"]) == 2
    assert '"veiw"' in (said := capsys.readouterr().err)
    assert "view" in said


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself_by_the_name_it_was_called_by(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: headlight {command} ")


def test_it_starts_without_what_it_does_not_need(small_bundle, tmp_path):
    code = "import sys; from headlight.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    command = [sys.executable, "-c", code, "bundle", "show", str(small_bundle)]
    shown = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True).stdout

    loaded = set(shown.splitlines()[-1].split())
    assert loaded & {"torch", "streamlit", "lancedb", "precompute", "altair"} == set()


def test_a_bundle_is_shown_from_any_folder(small_bundle, tmp_path):
    shown = run("bundle", "show", str(small_bundle), cwd=tmp_path)

    assert shown.returncode == 0, shown.stderr
    assert "40 distinct" in shown.stdout


def test_a_missing_bundle_is_an_error_with_what_to_do(tmp_path):
    done = run("view", cwd=tmp_path)

    assert done.returncode == 1
    assert "bundles/demo" in done.stderr
    assert "headlight demo" in done.stderr
