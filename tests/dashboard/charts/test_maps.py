"""Maps stand where they belong, the right way round, on the scale that is printed."""

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from tests.support.charts import rows

ASYMMETRIC = np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]])
"""2 rows, 3 columns: positive at the top right, negative at the bottom left."""


def draw_panel(grid, size=(300, 200), opacity=0.6, **options):
    return map_charts.map_panel("url", grid, limit=0.005, opacity=opacity, size=size, **options).to_dict()


def test_a_map_puts_each_patch_on_its_place_in_the_picture():
    chart = draw_panel(ASYMMETRIC)

    picture, patches = chart["layer"]
    cells = {(c["row"], c["column"]): c for c in rows(chart, patches)}
    assert cells[1, 3]["value"] == pytest.approx(4.0)
    assert [cells[1, 3][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [2 / 3, 1, 0, 0.5]
    )
    assert cells[2, 1]["value"] == pytest.approx(-2.0)
    assert [cells[2, 1][edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx(
        [0, 1 / 3, 0.5, 1]
    )
    assert rows(chart, picture) == [{"left": 0.0, "top": 0.0, "url": "url"}]
    assert (picture["mark"]["width"], picture["mark"]["height"]) == (300, 200)
    for part in (picture, patches):
        x, y = (part["encoding"][axis]["scale"] for axis in "xy")
        assert (x["domain"], x["range"]) == ([0, 1], [0, 300])
        assert (y["domain"], y["range"]) == ([0, 1], [0, 200]), "row 1 is at the top"


def test_zero_is_the_middle_of_the_colors_and_shows_the_picture():
    chart = draw_panel(ASYMMETRIC)

    color = chart["layer"][1]["encoding"]["color"]
    assert color["scale"]["domain"] == [-5.0, 5.0]
    assert len(map_charts.DIVERGING) % 2 == 1
    assert color["scale"]["range"] == list(map_charts.DIVERGING)
    cells = rows(chart, chart["layer"][1])
    assert [cell["opacity"] for cell in cells if cell["value"] == 0] == [0] * 4
    assert max(cell["opacity"] for cell in cells) == pytest.approx(0.6 * 0.8**0.5)


def test_a_value_beyond_the_scale_is_as_opaque_as_its_end():
    far, end = (map_charts.map_cells(np.array([[value]]), 0.005, 0.6) for value in (0.05, -0.005))

    assert far["opacity"].tolist() == end["opacity"].tolist() == [0.6]


def opacities(opacity):
    chart = draw_panel(ASYMMETRIC, opacity=opacity)
    return [cell["opacity"] for cell in rows(chart, chart["layer"][1])]


def test_opacity_runs_from_the_picture_alone_to_the_map_alone():
    assert opacities(0.0) == [0] * 6
    assert opacities(1.0) == [1] * 6
    # In between no patch gets paler, and a strong one is never paler than a weak one.
    steps = np.array([opacities(step) for step in np.linspace(0, 1, 21)])
    assert (np.diff(steps, axis=0) >= 0).all()
    assert (steps[:, 2] >= steps[:, 3]).all() and (steps[:, 3] >= steps[:, 0]).all()


def test_a_smooth_map_keeps_the_numbers_of_the_patches_for_hover_and_click():
    chart = draw_panel(ASYMMETRIC, smooth=True)

    _, smooth, patches = chart["layer"]
    assert smooth["mark"]["type"] == "image"
    assert [cell["value"] for cell in rows(chart, patches)] == pytest.approx([0, 0, 4, -2, 0, 0])
    assert {cell["opacity"] for cell in rows(chart, patches)} == {0}


def test_a_click_selects_row_and_column_of_a_patch_where_the_page_asks_for_it():
    [click] = draw_panel(ASYMMETRIC, clickable=True)["params"]

    assert (click["name"], click["select"]["fields"]) == (map_charts.CLICK, ["row", "column"])
    assert "params" not in draw_panel(ASYMMETRIC)


def test_outliers_and_the_chosen_patch_are_marked_where_they_are():
    outliers = np.array([[False, True, False], [False, False, False]])
    chart = draw_panel(ASYMMETRIC, marks=map_charts.Marks(outliers, (1, 2)))

    _, _, *diamonds, dark, light = chart["layer"]
    assert [layer["mark"]["shape"] for layer in diamonds] == ["diamond"] * 2
    [center] = rows(chart, diamonds[1])
    assert (center["left"], center["top"]) == pytest.approx((0.5, 0.25))
    [frame] = rows(chart, light)
    assert [frame[edge] for edge in ("left", "right", "top", "bottom")] == pytest.approx([2 / 3, 1, 0.5, 1])
    assert (dark["mark"]["stroke"], light["mark"]["stroke"]) == ("black", "white"), "visible on any color"


def test_signed_bars_keep_their_order_and_tell_sums_apart():
    frame = pd.DataFrame(
        {"part": ["b", "a", "sum"], "value": [2.0, -1.0, 1.0], "total": [False, False, True]}
    )

    chart = map_charts.signed_bars(frame).to_dict()

    assert [row["part"] for row in rows(chart, chart)] == ["b", "a", "sum"]
    assert [row["sign"] for row in rows(chart, chart)] == ["adds", "subtracts", "total"]
    assert chart["encoding"]["y"]["sort"] == ["b", "a", "sum"]
    assert chart["encoding"]["x"]["title"] == theme.UNIT


def heads(**columns) -> pd.DataFrame:
    """Heads of one layer with these columns."""
    frame = pd.DataFrame({"label": "color", "grade": "strong", "passes": True, "layer": 1} | columns)
    signs = frame["grade"].map({"strong": "", "weak": "~", "unsupported": "?"})
    frame = frame.assign(head=range(len(frame)), name="L1.H0", first_text="a", importance=0.1)
    return frame.assign(shown=frame["label"] + signs, support=frame["grade"])


def test_a_weak_label_is_pale_and_an_unsupported_one_gray():
    frame = heads(grade=["strong", "weak", "unsupported"])

    cells = rows(chart := map_charts.head_grid(frame).to_dict(), chart["layer"][0])

    first = theme.LABEL_COLORS[0]
    assert [cell["tint"] for cell in cells] == [first, theme.pale(first), theme.WEAK]
    assert [cell["shown"] for cell in cells] == ["color", "color~", "color?"]


def test_heads_that_a_filter_leaves_out_are_dim():
    frame = heads(passes=[True, False])

    cells = rows(chart := map_charts.head_grid(frame).to_dict(), chart["layer"][0])

    assert [cell["opacity"] for cell in cells] == [1, theme.DIM]
    assert all(layer["encoding"]["opacity"]["field"] == "opacity" for layer in chart["layer"])


def test_a_tooltip_uses_the_words_of_the_page():
    chart = map_charts.head_grid(heads(grade=["strong"])).to_dict()

    titles = [line["title"] for line in chart["layer"][0]["encoding"]["tooltip"]]
    assert titles == ["head", "label", "support", "importance", "first text"]


def test_supported_labels_past_the_colors_are_white_and_never_as_unsupported_ones():
    names = [f"label {number:02d}" for number in range(12)]
    # Unsupported heads do not use up colors, however many they are.
    unsupported = heads(label=["label 11"] * 12, grade=["unsupported"] * 12).assign(layer=2)
    frame = pd.concat([heads(label=names), unsupported])

    cells = rows(chart := map_charts.head_grid(frame).to_dict(), chart["layer"][0])

    tints = [cell["tint"] for cell in cells if cell["layer"] == 1]
    assert sorted(tints) == sorted([*theme.LABEL_COLORS, *["#ffffff"] * 4])
    assert {cell["tint"] for cell in cells if cell["layer"] == 2} == {theme.WEAK}
