"""Options of `verify-paper`."""

import argparse
import subprocess
import sys

import pytest

from precompute.runtime.config import ConfigError
from precompute.tools.verify_paper.options import VerifyTask, add_options, verify_task


def asked(*arguments: str) -> VerifyTask:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return verify_task(parser.parse_args(["--images", "val", *arguments]))


def test_the_model_of_the_released_texts_is_the_default():
    assert asked().model.name == "ViT-B-16/laion2b_s34b_b88k"
    assert asked("--limit", "all").limit is None
    assert asked("--model", "a/b", "--checkpoint", "x.pt").model.checkpoint.name == "x.pt"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--textspan", "a.csv"], "--textspan .* --pool"),
        (["--labels", "a.csv"], "--labels .* --pool"),
        (["--limit", "5"], "--limit 5"),
        (["--json", "nowhere/out.json"], "--json nowhere/out.json"),
    ],
)
def test_invalid_options_are_refused_at_once(arguments, says):
    with pytest.raises(ConfigError, match=says):
        asked(*arguments)


def test_the_command_line_loads_no_torch():
    code = "import sys, precompute.tools.verify_paper.options; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
