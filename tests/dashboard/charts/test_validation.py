"""Charts of what is scored: in the order given, in per cent, and no color without a shape or a word."""

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import validation as validation_charts

NAN = np.nan


def rows(chart: dict, part: dict) -> list[dict]:
    """The data that a part of a chart draws."""
    return chart["datasets"][part.get("data", chart.get("data"))["name"]]


def sorted_by(chart: dict) -> list[str]:
    """The order of the rows of a chart."""
    return next(part["encoding"]["y"]["sort"] for part in chart["layer"])


def classes():
    return pd.DataFrame(
        {
            "class": ["red", "blue"],
            "images": [1200, 4],
            "before": [90.0, 50.0],
            "after": [40.0, 75.0],
            "control": [88.0, 50.0],
            "lost": [700, 0],
            "gained": [100, 1],
        }
    )


def test_a_class_has_a_mark_before_and_one_after_on_a_line():
    chart = validation_charts.dumbbells(classes(), control=True).to_dict()

    line, control, pair = chart["layer"]
    assert [row["name"] for row in rows(chart, line)] == ["red (1,200)", "blue (4)"]
    assert [(row["before"], row["after"]) for row in rows(chart, line)] == [(90.0, 40.0), (50.0, 75.0)]
    marks = {(row["name"], row["kind"]): row["accuracy"] for row in rows(chart, pair)}
    assert marks["red (1,200)", validation_charts.BEFORE] == 90.0
    assert marks["red (1,200)", validation_charts.AFTER] == 40.0
    assert [row["accuracy"] for row in rows(chart, control)] == [88.0, 50.0]
    assert pair["encoding"]["x"]["scale"]["domain"] == [0, 100]
    shapes = pair["encoding"]["shape"]["scale"]["range"]
    assert len(set(shapes)) == len(shapes) == 3


def test_without_a_control_nothing_of_it_is_drawn():
    chart = validation_charts.dumbbells(classes(), control=False).to_dict()

    assert validation_charts.CONTROL not in {
        row["kind"] for part in chart["layer"][1:] for row in rows(chart, part)
    }
    assert validation_charts.CONTROL not in chart["layer"][2]["encoding"]["color"]["scale"]["domain"]


def test_a_verdict_is_a_color_and_a_mark():
    frame = pd.DataFrame(
        {
            "name": ["L3.H0", "L3.H1", "L4.H0", "L4.H1"],
            "layer": [3, 3, 4, 4],
            "head": [0, 1, 0, 1],
            "label": ["color", "color", None, "shape"],
            "acts_on": ["color", "shape", "color", None],
            "verdict": ["right", "wrong", "unsupported", "no effect"],
            "varies_with": "color",
            **dict.fromkeys(("fall", "lead", "direct_fall", "selectivity"), 0.1),
        }
    )

    chart = validation_charts.verdict_grid(frame).to_dict()

    cells = rows(chart, chart["layer"][0])
    assert [cell["title"] for cell in cells] == ["✓ color", "✗ color", "? no label", "– shape"]
    assert [cell["acts"] for cell in cells] == ["→ color", "→ shape", "→ color", "→ nothing"]
    assert len({cell["tint"] for cell in cells}) == 4


def test_a_model_and_its_control_stand_in_one_row_in_the_order_given():
    """Only the second subject has an interval: without a list, Vega would put it first."""
    frame = pd.DataFrame(
        {
            "subject": ["uniform", "all heads", "all heads"],
            "kind": ["model", "model", "control"],
            "value": [0.0, 0.3, 0.1],
            "low": [NAN, 0.2, 0.0],
            "high": [NAN, 0.4, 0.2],
            "chance": [NAN, 0.0, 0.0],
        }
    )

    chart = validation_charts.score_dots(frame, title="Contrast").to_dict()

    intervals, chance, dots = (rows(chart, part) for part in chart["layer"])
    assert (len(intervals), len(chance), len(dots)) == (2, 2, 3)
    assert sorted_by(chart) == ["uniform", "all heads"]
    shape = chart["layer"][2]["encoding"]["shape"]["scale"]
    assert dict(zip(shape["domain"], shape["range"], strict=True)) == {
        "model": "circle",
        "its random-weights control": "cross",
    }


def test_a_table_in_color_says_its_numbers_and_leaves_out_what_is_missing():
    frame = pd.DataFrame(
        {
            "space": ["embedding", "L3.H0", "L3.H0"],
            "attribute": ["color", "color", "shape"],
            "gain": [0.25, -0.1, NAN],
        }
    )

    chart = validation_charts.heat(frame, rows="space", value="gain", title="t").to_dict()

    tint, words = chart["layer"]
    assert [row["percent"] for row in rows(chart, tint)] == pytest.approx([25, -10])
    assert words["encoding"]["text"]["field"] == "percent"
    assert tint["encoding"]["color"]["scale"]["clamp"] is True


def test_what_mean_ablation_costs_stands_over_the_range_of_random_sets():
    frame = pd.DataFrame(
        {
            "row": ["color heads, forward pass"] * 2,
            "attribute": ["color", "shape"],
            "points": [40.0, 3.0],
            "kind": ["own", "other"],
            "low": [1.0, NAN],
            "high": [9.0, NAN],
        }
    )

    chart = validation_charts.property_costs(frame).to_dict()

    bands, points = (rows(chart, part) for part in chart["layer"])
    assert [(row["low"], row["high"]) for row in bands] == [(1.0, 9.0)]
    assert [(row["attribute"], row["mark"]) for row in points] == [
        ("color", "its own attribute"),
        ("shape", "other attributes"),
    ]


def test_curves_end_at_the_model_as_it_is():
    steps = ["2", "10", "all of it"]
    frame = pd.DataFrame({"step": steps, "attribute": "color", "value": [0.2, 0.5, 0.9]})

    chart = validation_charts.kept_texts(frame, steps, title="Forward pass").to_dict()

    line, _ = chart["layer"]
    assert [row["percent"] for row in rows(chart, line)] == pytest.approx([20, 50, 90])
    assert line["encoding"]["x"]["sort"] == steps


def test_more_curves_than_marks_that_differ_are_rows_of_a_table():
    steps, names = ["2", "10", "all of it"], [f"attribute {number}" for number in range(9)]
    values = [(step, name, 0.1 * row) for row, name in enumerate(names) for step in reversed(steps)]
    frame = pd.DataFrame(values, columns=["step", "attribute", "value"])

    chart = validation_charts.kept_texts(frame, steps, title="Forward pass").to_dict()

    words = chart["layer"][1]
    assert words["mark"]["type"] == "text"
    assert words["encoding"]["x"]["sort"] == steps
    assert words["encoding"]["y"]["sort"] == names
    assert [row["percent"] for row in rows(chart, words)[:3]] == pytest.approx([0, 10, 20])


def test_words_are_cut_to_the_width_that_the_browser_gives_their_cell():
    head = pd.DataFrame({"layer": [1], "head": [0], "name": "L1.H0", "label": "color", "acts_on": "shape"})
    numbers = dict.fromkeys(["fall", "lead", "direct_fall", "selectivity"], 0.1)
    frame = head.assign(verdict="right", varies_with="color", **numbers)

    chart = validation_charts.verdict_grid(frame).to_dict()

    marks = [layer["mark"] for layer in chart["layer"] if layer["mark"]["type"] == "text"]
    assert len(marks) == 2
    assert all(
        "bandwidth('x')" in mark[name]["expr"] for mark in marks for name in ("text", "limit", "fontSize")
    )
