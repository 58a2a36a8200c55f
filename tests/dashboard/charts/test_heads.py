"""Grids and bars of heads: what a color, a word and a tick stand for."""

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import heads as head_charts
from dashboard.images import DIVERGING
from tests.support.charts import rows


def cells(values: list[float]) -> pd.DataFrame:
    """Heads of one layer with these numbers; the second has an unsupported label."""
    frame = pd.DataFrame({"head": range(len(values)), "value": values, "low": np.nan, "high": np.nan})
    frame = frame.assign(layer=11, support="strong, q = 0.02", first_text="a photo", passes=True)
    return frame.assign(
        name=[f"L11.H{head}" for head in frame["head"]],
        shown=["color?" if head == 1 else "color" for head in frame["head"]],
    )


def colors(chart: dict) -> dict:
    return chart["layer"][0]["encoding"]["color"]["scale"]


@pytest.mark.parametrize(
    ("values", "unit", "domain"),
    [
        ([0.1, 0.7], "share", [0, 0.7]),
        ([0.01, 0.02], "share", [0, 0.02]),
        ([1.0, 3.0], "texts", [0, 5.0]),
        ([0.2, 2.5], "embedding length", [0, 2.5]),
        ([-0.01, 0.03], "share", [-0.03, 0.03]),
    ],
)
def test_colors_run_from_zero_unless_a_number_is_below_it(values, unit, domain):
    chart = head_charts.value_grid(cells(values), title="t", unit=unit).to_dict()

    assert colors(chart)["domain"] == pytest.approx(domain)
    assert (colors(chart)["range"] == list(DIVERGING)) == (domain[0] < 0)


def test_what_is_corrected_for_chance_has_no_colors_below_zero():
    chart = head_charts.value_grid(
        cells([-0.01, 0.6]), title="t", unit="epsilon squared", signed=False
    ).to_dict()

    assert colors(chart)["domain"] == [0, 0.6]
    assert colors(chart)["clamp"]


def test_numbers_stand_over_the_labels_with_the_digits_they_need():
    def numbers(values: list[float]) -> list[str]:
        chart = head_charts.value_grid(cells(values), title="t", unit="share").to_dict()
        return [row["number"] for row in rows(chart, chart["layer"][0])]

    chart = head_charts.value_grid(cells([1.0, 4.0]), title="t", unit="texts").to_dict()
    assert [row["shown"] for row in rows(chart, chart["layer"][0])] == ["color", "color?"]
    words = [layer["mark"]["text"]["expr"] for layer in chart["layer"][1:]]
    assert ["datum.number" in word for word in words] == [True, False]
    assert ["datum.shown" in word for word in words] == [False, True]
    assert numbers([3.0, 5.0]) == ["3", "5"]
    assert numbers([-0.001, 0.6]) == ["0.00", "0.60"]  # nothing is -0.00
    assert numbers([0.1, 0.75]) == ["0.10", "0.75"]
    assert numbers([0.001, 0.025]) == ["0.0010", "0.0250"]
    assert numbers([0.5, np.nan]) == ["0.50", "–"]
    assert numbers([np.nan, np.nan]) == ["–", "–"]


def test_words_are_white_on_dark_cells_only():
    chart = head_charts.value_grid(cells([0.1, 0.9]), title="t", unit="share").to_dict()

    assert [row["ink"] for row in rows(chart, chart["layer"][0])] == ["black", "white"]


def test_a_click_selects_layer_and_head():
    chart = head_charts.clickable(head_charts.value_grid(cells([1.0]), title="t", unit="texts")).to_dict()

    [selection] = [param for param in chart["params"] if param["name"] == head_charts.CLICK]
    assert selection["select"]["fields"] == ["layer", "head"]


def test_the_profile_marks_the_label_and_what_the_pool_gives():
    frame = pd.DataFrame(
        {"property": ["color", "shape"], "texts": [6, 4], "share": [0.6, 0.4], "pool_share": [0.1, 0.2]}
    )

    chart = head_charts.profile_bars(frame, "shape").to_dict()

    bars = rows(chart, chart["layer"][0])
    assert [bar["percent"] for bar in bars] == [60, 40]
    assert [bar["strength"] for bar in bars] == [0.5, 1], "stronger on light and on dark pages"
    assert chart["layer"][1]["mark"]["type"] == "tick"
    assert chart["layer"][1]["encoding"]["x"]["field"] == "pool"


def test_selectivity_stands_beside_zero_with_intervals_where_there_are_any():
    frame = pd.DataFrame(
        {"attribute": ["color", "shape"], "value": [0.6, -0.02], "low": [0.5, np.nan], "high": [0.7, np.nan]}
    ).assign(images=700)

    chart = head_charts.selectivity_dots(frame).to_dict()

    zero, ranges, dots = (rows(chart, layer) for layer in chart["layer"])
    assert zero == [{"value": 0.0}]
    assert [row["attribute"] for row in ranges] == ["color"]
    assert [row["attribute"] for row in dots] == ["color", "shape"]
    assert chart["layer"][2]["encoding"]["x"]["scale"]["domain"] == pytest.approx([-0.02, 1])
