"""`score-maps` prints the figures beside the published ones."""

from pathlib import Path

import pytest

from precompute import demo
from precompute.__main__ import main
from precompute.demo import words
from precompute.demo.scenes import COLORS, draw
from tests.support.segmented import written

SCENES = 6


@pytest.fixture(scope="module")
def scenes(tmp_path_factory) -> Path:
    """Scenes of one kind, wider than high."""
    drawn = [draw(index, 43, kinds=1) for index in range(SCENES)]
    pictures = [(scene.image[24:232], scene.mask[0, 24:232]) for scene in drawn]
    return written(tmp_path_factory.mktemp("segmented") / "scenes.mat", pictures)


@pytest.fixture(scope="module")
def classes(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("classes") / "colors.txt"
    path.write_text("\n".join(words.prompt("color", color) for color in COLORS) + "\n")
    return path


def test_a_command_prints_the_figures_beside_the_published_ones(scenes, classes, capsys):
    command = ["score-maps", "--model", demo.MODEL_NAME, "--segmentation", str(scenes)]

    code = main([*command, "--classes", str(classes), "--limit", "2"])

    said = capsys.readouterr().out
    assert code == 0
    assert "pictures and masks squashed" in said
    assert [line.split()[-4:] for line in said.splitlines() if "published" in line] == [
        ["75.21", "54.50", "81.61", "4276"]
    ]
