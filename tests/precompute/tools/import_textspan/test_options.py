"""Options of `import-textspan`, checked before torch is loaded."""

import argparse
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from precompute.runtime import arguments
from precompute.runtime.config import ConfigError
from precompute.tools.import_textspan.options import ImportTask, add_options
from tests.support.imported import KNOWN, OWN, task


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"files": ()}, "no file of results"),
        ({"models": (KNOWN,)}, "2 files of results and 1 models"),
        ({"models": (KNOWN, KNOWN)}, f"twice: {KNOWN}"),
        ({"models": (KNOWN, "ViT-B-16")}, "'ViT-B-16'"),
        ({"bundle": Path("/")}, "--bundle /"),
    ],
)
def test_invalid_options_are_refused(tmp_path, changes, says):
    with pytest.raises(ConfigError, match=says):
        replace(task(tmp_path, tmp_path / "b"), **changes)


def test_the_command_line_asks_for_a_task(tmp_path):
    parser = argparse.ArgumentParser()
    add_options(parser)

    options = parser.parse_args(
        [
            "a.txt",
            "b.csv",
            "--model",
            KNOWN,
            "--model",
            OWN,
            "--bundle",
            "out",
            "--texts",
            "pool.tsv",
            "--replace",
        ]
    )

    files = (Path("a.txt"), Path("b.csv"))
    asked = ImportTask(files, (KNOWN, OWN), Path("out"), texts=Path("pool.tsv"), replace=True)
    assert arguments.read(options, ImportTask) == asked


def test_a_task_is_checked_before_torch_is_loaded():
    code = "import sys, precompute.tools.import_textspan.options; print('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
