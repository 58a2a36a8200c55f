"""Charts of the leaderboard keep its order and leave out what is missing."""

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import leaderboard as leaderboard_charts
from tests.support.charts import NAN, data_of, standing

PARTS = ("model", "control", "rotated")


def test_models_stand_in_the_order_given_with_their_ranks_at_the_right():
    frame = pd.DataFrame(
        [
            standing("b", rank="1–2 of 2"),
            standing("b", "control", 0.1),
            standing("a", rank="1–2 of 2"),
            standing("c"),
        ]
    )

    chart = leaderboard_charts.standings(frame, PARTS, title="Metric").to_dict()

    assert all(layer["encoding"]["y"]["sort"] == ["b", "a", "c"] for layer in chart["layer"])
    names, ranks = chart["layer"][:2]
    assert all(part["transform"][0]["filter"] == "datum.slot == 1" for part in (names, ranks))
    assert [part["mark"]["x"]["expr"] for part in (names, ranks)] == ["0", "width"]
    assert "datum.rank" in ranks["mark"]["text"]["expr"]
    assert [row["rank"] for row in data_of(chart) if row["slot"] == 1] == ["1–2 of 2", "1–2 of 2", ""]


def test_controls_stand_under_their_model_in_marks_of_their_own():
    frame = pd.DataFrame(
        [
            standing("a"),
            standing("a", "control", 0.2),
            standing("a", "rotated", 0.3),
            standing("b", value=0.4),
        ]
    )

    chart = leaderboard_charts.standings(frame, PARTS, title="Metric").to_dict()

    assert [row["slot"] for row in data_of(chart)] == [1, 2, 3, 1]
    encoding = chart["layer"][-1]["encoding"]
    assert encoding["yOffset"]["scale"]["domain"] == [0, 1, 2, 3], "the first is that of the words"
    assert encoding["color"]["scale"]["domain"] == encoding["shape"]["scale"]["domain"] == list(PARTS)
    assert len(set(encoding["shape"]["scale"]["range"])) == 3, "color is never the only sign"


def test_parts_that_are_not_there_are_not_in_the_legend():
    chart = leaderboard_charts.standings(pd.DataFrame([standing()]), PARTS, title="Metric").to_dict()

    assert chart["layer"][-1]["encoding"]["color"]["scale"]["domain"] == ["model"]


def test_only_what_is_known_is_drawn():
    frame = pd.DataFrame([standing(low=0.4, high=0.6), standing("b", value=NAN)])

    chart = leaderboard_charts.standings(frame, PARTS, title="Metric").to_dict()

    assert [layer["transform"][0]["filter"] for layer in chart["layer"][2:]] == [
        "isValid(datum.low)",
        "isValid(datum.chance)",
        "isValid(datum.value)",
    ]
    assert [row["low"] for row in data_of(chart)] == [0.4, None]
    assert [row["value"] for row in data_of(chart)] == [0.5, None], "missing, not zero"


@pytest.mark.parametrize(
    ("value", "low", "domain"), [(0.5, 0.4, [0, 1]), (12.0, 9.0, None), (0.5, -0.1, None), (NAN, NAN, [0, 1])]
)
def test_shares_are_all_on_one_scale(value, low, domain):
    scale = leaderboard_charts.share_scale(np.array([value, low, NAN])).to_dict()

    assert scale.get("domain") == domain


def test_what_works_against_the_rest_goes_left_of_zero():
    parts = pd.DataFrame(
        [
            ("L1", "heads", "L1.H0", "color", 8.0),
            ("L1", "heads", "L1.H1", "", -2.0),
            ("L1", "MLP", "mlp L1", "", 3.0),
        ],
        columns=["row", "kind", "name", "label", "percent"],
    )

    chart = leaderboard_charts.coverage_bars(parts, ["heads", "attention", "MLP", "input"]).to_dict()

    bars = chart["layer"][0]
    assert bars["encoding"]["x"]["stack"] == "zero", "negative ones are stacked by themselves"
    assert bars["encoding"]["color"]["scale"]["domain"] == ["heads", "MLP"]
    shown = chart["datasets"][bars["data"]["name"]]
    assert [row["order"] for row in shown] == [0, 0, 2], "heads first, then the MLP"
    assert [tip["field"] for tip in bars["encoding"]["tooltip"]] == [
        "row",
        "kind",
        "name",
        "label",
        "percent",
    ]
