"""Models against what is known of them: names, axes and the order of marks."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from dashboard.charts import scatter as scatter_charts
from dashboard.charts.label_layout import Name, mark_box, name_box
from dashboard.charts.scatter import HEIGHT, WIDTH
from tests.support.charts import data_of, standing

PARTS = ("model", "control", "rotated")


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
