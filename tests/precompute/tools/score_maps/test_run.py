"""`score-maps` prints the figures beside the published ones."""

from pathlib import Path

import pytest

from precompute import demo
from precompute.__main__ import main
from tests.support.segmented import write_classes, write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("segmented"))


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"))


def test_a_command_prints_the_figures_beside_the_published_ones(scenes, classes, capsys):
    command = ["score-maps", "--model", demo.MODEL_NAME, "--segmentation", str(scenes)]

    code = main([*command, "--classes", str(classes), "--limit", "2"])

    said = capsys.readouterr().out
    assert code == 0
    assert "pictures and masks squashed" in said
    assert [line.split()[-4:] for line in said.splitlines() if "published" in line] == [
        ["75.21", "54.50", "81.61", "4276"]
    ]
