"""Maps stand where they belong, the right way round, on the scale that is printed."""

import json

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from tests.support.charts import rows

ASYMMETRIC = np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]])
"""2 rows, 3 columns: positive at the top right, negative at the bottom left."""


def draw_maps(*panels, width=300):
    return map_charts.maps(list(panels), limit=0.005, opacity=0.6, shape=(2, 3), width=width).to_dict()


def test_a_map_puts_each_patch_on_its_place_in_the_picture():
    chart = draw_maps(("url", "t", ASYMMETRIC))

    picture, patches = chart["layer"]
    cells = {(c["row"], c["column"]): c for c in rows(chart, patches)}
    assert cells[0, 2]["value"] == pytest.approx(4.0)
    assert [cells[0, 2][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [2 / 3, 1, 0, 0.5]
    )
    assert cells[1, 0]["value"] == pytest.approx(-2.0)
    assert [cells[1, 0][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [0, 1 / 3, 0.5, 1]
    )
    assert rows(chart, picture) == [{"left": 0.0, "top": 0.0, "url": "url"}]
    across, down = "min(300, width / 1.0)", f"{2 / 3} * min(300, width / 1.0)"
    assert (picture["mark"]["width"], picture["mark"]["height"]) == ({"expr": across}, {"expr": down})
    for part in (picture, patches):
        x, y = (part["encoding"][axis]["scale"] for axis in "xy")
        assert (x["domain"], x["range"]) == ([0, 1], [0, {"expr": f"1.0 * {across}"}])
        assert (y["domain"], y["range"]) == ([0, 1], [0, {"expr": down}]), "row 0 is at the top"


def test_panels_stand_beside_each_other_under_their_titles():
    said = 'a "quoted" one'
    chart = draw_maps(("u", "picture", None), ("v", said, ASYMMETRIC), ("w", "b", -ASYMMETRIC))

    picture, patches = chart["layer"]
    starts = [0, map_charts.STRIDE, 2 * map_charts.STRIDE]
    assert [row["left"] for row in rows(chart, picture)] == pytest.approx(starts)
    corners = [row["left"] for row in rows(chart, patches) if row["row"] == row["column"] == 0]
    assert corners == pytest.approx(starts[1:]), "the picture alone has no patches over it"
    axis = patches["encoding"]["x"]["axis"]
    assert axis["values"] == pytest.approx(starts)
    assert axis["labelExpr"].startswith(json.dumps(["picture", said, "b"]))


def test_zero_is_the_middle_of_the_colors_and_the_scale_is_printed_once():
    chart = draw_maps(("u", "picture", None), ("u", "a", ASYMMETRIC), ("u", "b", -ASYMMETRIC))

    (color,) = (layer["encoding"]["color"] for layer in chart["layer"] if "color" in layer["encoding"])
    assert color["scale"]["domain"] == [-5.0, 5.0]
    assert len(map_charts.DIVERGING) % 2 == 1
    assert color["scale"]["range"] == list(map_charts.DIVERGING)
    assert color["legend"]["title"] == "contribution to cosine similarity x 1000"


def test_signed_bars_keep_their_order_and_tell_sums_apart():
    frame = pd.DataFrame(
        {"part": ["b", "a", "sum"], "value": [2.0, -1.0, 1.0], "total": [False, False, True]}
    )

    chart = map_charts.signed_bars(frame).to_dict()

    assert [row["part"] for row in rows(chart, chart)] == ["b", "a", "sum"]
    assert [row["sign"] for row in rows(chart, chart)] == ["adds", "subtracts", "total"]
    assert chart["encoding"]["y"]["sort"] is None
    assert chart["encoding"]["x"]["title"] == theme.UNIT


def test_an_unsupported_label_is_gray_and_questioned():
    frame = pd.DataFrame(
        {
            "layer": [10, 10, 11],
            "head": [0, 1, 0],
            "name": ["L10.H0", "L10.H1", "L11.H0"],
            "label": ["color", "color", None],
            "supported": [True, False, None],
            "first_text": ["a", "b", None],
            "q_value": [0.01, 0.5, np.nan],
            "importance": [0.2, 0.1, 0.1],
        }
    )

    chart = map_charts.head_grid(frame).to_dict()

    cells = rows(chart, chart["layer"][0])
    assert [cell["shown"] for cell in cells] == ["color", "color?", "no label"]
    assert cells[1]["tint"] == theme.WEAK
    assert cells[0]["tint"] != cells[1]["tint"]


def test_supported_labels_past_the_colors_are_white_and_never_as_unsupported_ones():
    names = [f"label {number:02d}" for number in range(12)]
    frame = pd.DataFrame({"layer": 1, "head": range(12), "label": names, "q_value": 0.01, "importance": 0.1})
    # Unsupported heads do not use up colors, however many they are.
    weak = frame.assign(layer=2, label="label 11")
    frame = pd.concat([frame.assign(supported=True), weak.assign(supported=False)])
    frame = frame.assign(name="L1.H0", first_text="a")

    cells = rows(chart := map_charts.head_grid(frame).to_dict(), chart["layer"][0])

    tints = [cell["tint"] for cell in cells if cell["layer"] == 1]
    assert sorted(tints) == sorted([*theme.LABEL_COLORS, *["#ffffff"] * 4])
    assert {cell["tint"] for cell in cells if cell["layer"] == 2} == {theme.WEAK}
