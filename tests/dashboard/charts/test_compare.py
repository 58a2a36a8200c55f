"""Charts of two models: differences beside 0, pairs beside the diagonal, labels in the order of both axes."""

import numpy as np
import pandas as pd

from dashboard.charts import compare
from tests.support.charts import rows


def test_a_difference_without_an_interval_has_a_mark_and_no_line():
    frame = pd.DataFrame(
        {
            "title": ["Stability", "Coverage"],
            "value": [0.5, 0.4],
            "other_value": [0.3, 0.5],
            "difference": [0.2, -0.1],
            "low": [np.nan, -0.2],
            "high": [np.nan, 0.0],
        }
    )

    chart = compare.difference_dots(frame, title="difference (share)").to_dict()

    zero, line, mark = chart["layer"]
    assert [row["difference"] for row in rows(chart, zero)] == [0]
    assert [row["title"] for row in rows(chart, line)] == ["Coverage"]
    assert [row["difference"] for row in rows(chart, mark)] == [0.2, -0.1]
    assert mark["encoding"]["y"]["sort"] == ["Stability", "Coverage"]


def test_pairs_that_surely_differ_have_a_shape_of_their_own_and_both_axes_one_scale():
    names = {name: ["a", "b"] for name in ("name", "shown", "other_name", "other_shown")}
    numbers = {name: [1.0, 2.0] for name in ("value", "other_value", "difference", "low", "high")}
    frame = pd.DataFrame(names | numbers | {"sure": [True, False]})

    chart = compare.pair_scatter(frame, unit="texts", names=("one", "two")).to_dict()

    diagonal, points = chart["layer"]
    assert [row["kind"] for row in rows(chart, points)] == ["surely differ", "may be equal"]
    assert points["encoding"]["shape"]["scale"]["range"] == ["diamond", "circle"]
    scales = [points["encoding"][axis]["scale"]["domain"] for axis in ("x", "y")]
    assert scales == [[0, 2], [0, 2]] == [[row["value"] for row in rows(chart, diagonal)]] * 2


def test_pairs_of_labels_stand_in_one_order_on_both_axes():
    frame = pd.DataFrame({"label": ["shape", "color"], "other_label": ["count", "color"], "pairs": [3, 1]})

    chart = compare.transitions(frame, names=("one", "two")).to_dict()

    cells, _ = chart["layer"]
    assert cells["encoding"]["x"]["sort"] == cells["encoding"]["y"]["sort"] == ["color", "count", "shape"]
    assert [row["same"] for row in rows(chart, cells)] == [False, True]


def test_pairs_that_vary_more_are_right_of_zero_and_those_that_vary_less_are_left_of_it():
    frame = pd.DataFrame(
        {
            "attribute": ["color", "kinds"],
            "pairs": [8, 8],
            "more": [5, 1],
            "less": [0, 2],
            "value": [0.3, 0.1],
            "other_value": [0.1, 0.2],
        }
    )

    chart = compare.attribute_counts(frame).to_dict()

    bars = chart["layer"][0]
    assert [(row["attribute"], row["count"]) for row in rows(chart, bars)] == [
        ("color", 5),
        ("kinds", 1),
        ("kinds", -2),
    ]
    assert bars["encoding"]["x"]["scale"]["domain"] == [-5, 5]
