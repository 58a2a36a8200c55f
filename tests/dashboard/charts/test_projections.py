"""The histogram of the images along a text: its colors, and the place of a picture."""

import pandas as pd

from dashboard.charts import projections
from dashboard.charts.theme import BLUE, GRAY, ORANGE

BARS = pd.DataFrame(
    {
        "group": ["a", "b", "-"],
        "begin": [0.0, 0.0, 1.0],
        "end": [1.0, 1.0, 2.0],
        "bottom": [0, 4, 0],
        "top": [4, 6, 1],
        "images": [4, 2, 1],
    }
)


def test_groups_at_one_end_are_orange_at_the_other_blue_and_others_gray():
    assert projections.colors_of(["a", "b", "-"], "-") == [ORANGE, BLUE, GRAY]
    assert projections.colors_of(["a", "b", "c", "d"], "-") == [*projections.HIGH, *projections.LOW]
    assert len(set(projections.colors_of(["a", "b", "c"], "-"))) == 3


def test_a_picture_is_a_line_with_its_name_only_if_there_is_one():
    groups = ["a", "b", "-"]

    chart = projections.histogram(BARS, groups, others="-", mark=1.5).to_dict()

    marks = [layer["mark"]["type"] for layer in chart["layer"]]
    assert marks == ["rect", "rule", "text"]
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == groups
    assert len(projections.histogram(BARS, groups, others="-").to_dict()["layer"]) == 1


def test_bars_of_one_group_have_no_legend():
    chart = projections.histogram(BARS.assign(group="-"), ["-"], others="-").to_dict()

    assert chart["layer"][0]["encoding"]["color"]["legend"] is None
