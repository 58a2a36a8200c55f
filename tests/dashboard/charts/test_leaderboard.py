"""Charts of the leaderboard keep its order, leave out what is missing, and let no name cover another."""

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import leaderboard as leaderboard_charts
from dashboard.charts import scatter as scatter_charts
from dashboard.charts.label_layout import APART, Box, Name, mark_box, name_box, name_places, side_by_side
from dashboard.charts.scatter import HEIGHT, WIDTH

PARTS = ("model", "control", "rotated")
NAN = float("nan")


def standing(under="a", part="model", value=0.5, low=NAN, high=NAN, chance=NAN, rank="", **more) -> dict:
    numbers = {"value": value, "low": low, "high": high, "chance": chance, "rank": rank}
    return {"model_key": under, "under": under, "model": f"model/{under}", "part": part, **numbers, **more}


def axes(chart: dict) -> list[dict]:
    return [layer["encoding"]["y"]["axis"] for layer in chart["layer"][:2]]


def data_of(chart: dict) -> list[dict]:
    return chart["datasets"][chart["data"]["name"]]


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

    left, right = axes(chart)
    assert all(layer["encoding"]["y"]["sort"] == ["b", "a", "c"] for layer in chart["layer"])
    assert json.loads(left["labelExpr"].removesuffix("[datum.value]")) == {
        "b": "model/b",
        "a": "model/a",
        "c": "model/c",
    }
    assert json.loads(right["labelExpr"].removesuffix("[datum.value]")) == {
        "b": "rank 1–2 of 2",
        "a": "rank 1–2 of 2",
        "c": "",
    }
    assert (left["orient"], right["orient"]) == ("left", "right")


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

    assert [row["slot"] for row in data_of(chart)] == [0, 1, 2, 0]
    encoding = chart["layer"][-1]["encoding"]
    assert encoding["yOffset"]["scale"]["domain"] == [0, 1, 2]
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


def test_marks_of_one_place_stand_side_by_side_by_value():
    moved = side_by_side(np.array([100.0, 100.0, 300.0, 100.0]), [0.3, 0.1, 0.5, 0.2])

    assert moved.tolist() == [100 + APART, 100 - APART, 300, 100]


def test_marks_that_are_far_apart_stay_where_they_are():
    assert side_by_side(np.array([300.0, 20.0]), [0, 1]).tolist() == [300, 20]


def test_groups_that_grow_into_each_other_become_one():
    moved = side_by_side(np.array([100.0, 100.0, 120.0, 120.0]), [0, 1, 0, 1])

    assert np.diff(np.sort(moved)).tolist() == [APART] * 3
    assert moved.mean() == 110


def test_a_name_stands_right_of_its_mark_unless_something_is_there():
    assert name_places([(100, 50)], [], ["name"], 500, 100) == [Name(50, 1)]
    assert name_places([(100, 50)], [Box(110, 40, 140, 60)], ["name"], 500, 100) == [Name(50, -1)]
    assert name_places([(490, 50)], [], ["name"], 500, 100) == [Name(50, -1)], "no room at the edge"


def test_a_name_without_a_free_place_is_left_out():
    wall = Box(0, 0, 500, 100)

    assert name_places([(100, 50)], [wall], ["name"], 500, 100) == [Name(50, 0)]


def many(x, count=10) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    names = [f"ViT-B-{16 + i}/laion2b_s34b_b88k" for i in range(count)]
    rows = [
        standing(str(i), value=v, low=v - 0.02, high=v + 0.02, x=x(i))
        for i, v in enumerate(rng.uniform(0.4, 0.6, count))
    ]
    rows += [standing(str(i), "control", 0.2 + 0.01 * i, x=x(i)) for i in range(count)]
    return pd.DataFrame(rows).assign(model=names * 2)


@pytest.mark.parametrize(
    ("x", "log"),
    [
        (lambda i: (150.0, 430.0, 990.0)[i % 3], True),
        (lambda i: (16.0, 14.0, 32.0)[i % 3], False),
        (lambda i: 12.0, False),
        (lambda i: ("data A", "data B")[i % 2], False),
    ],
)
def test_ten_names_cover_neither_each_other_nor_a_mark(x, log):
    frame = many(x)
    axis = scatter_charts.axis_of(frame["x"], log=log)
    ends = scatter_charts.value_ends(frame, "model")

    placed = scatter_charts.place(frame, "model", axis, ends)

    own = placed[placed["part"] == "model"]
    px = (placed["at"] - axis.low) / (axis.high - axis.low) * WIDTH
    py = (ends[1] - placed["value"]) / (ends[1] - ends[0]) * HEIGHT
    down = (ends[1] - own["name_at"]) / (ends[1] - ends[0]) * HEIGHT
    boxes = [name_box(px[row.Index], Name(down[row.Index], row.side), row.model) for row in own.itertuples()]
    assert not any(box.overlaps(other) for box, other in combinations(boxes, 2))
    assert not any(box.overlaps(mark_box(*mark)) for box in boxes for mark in zip(px, py, strict=True))
    assert all(box.lies_in(WIDTH, HEIGHT) for box in boxes)
    assert own["side"].ne(0).all(), "every model has a name"


def test_a_control_stands_over_its_model_and_has_no_name():
    frame = many(lambda i: 12.0, 3)
    axis = scatter_charts.axis_of(frame["x"])

    placed = scatter_charts.place(frame, "model", axis, scatter_charts.value_ends(frame, "model"))

    assert placed["at"].tolist()[:3] == placed["at"].tolist()[3:]
    assert placed["name_at"].notna().tolist() == [True] * 3 + [False] * 3


def test_the_axis_of_sizes_goes_by_factors():
    axis = scatter_charts.axis_of(pd.Series([150.0, 430.0]), log=True)

    assert axis.words == ["100", "200", "500"]
    assert axis.at == pytest.approx(np.log10([100, 200, 500]).tolist())
    assert axis.places == pytest.approx(np.log10([150, 430]))


def test_one_size_alone_has_an_axis_too():
    axis = scatter_charts.axis_of(pd.Series([16.0, 16.0]))

    assert axis.low < 16 < axis.high
    assert axis.words == ["16"]


def test_words_stand_side_by_side_broken_into_lines_that_fit():
    long = "a very long account of everything that the weights were trained on, twice"
    axis = scatter_charts.axis_of(pd.Series(["b", long, "b"]))

    assert axis.words == [long, "b"]
    assert axis.places.tolist() == [1, 0, 1]
    assert " ".join(axis.lines[0]) == long
    assert max(map(len, axis.lines[0])) <= WIDTH / 2 / 6
    assert axis.lines[1] == ["b"]


def test_models_are_drawn_over_controls():
    chart = scatter_charts.scatter(
        many(lambda i: 12.0, 2), PARTS, x_title="layers", y_title="Metric"
    ).to_dict()

    assert [row["part"] for row in data_of(chart)] == ["control", "control", "model", "model"]
    assert chart["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["model", "control"]
