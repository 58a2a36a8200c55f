"""Charts of tables that a person drew up: any columns, any names."""

import altair as alt
import pandas as pd
import pytest

from dashboard.charts.tables import MAX_BARS, MAX_MARKS, plot, plotted_rows

FRAME = pd.DataFrame({"a.b": ["x", "y", "x"], "n[0]": [1.0, 2.0, None], "f": [True, None, False]})


@pytest.mark.parametrize("kind", ["bars", "lines", "points"])
@pytest.mark.parametrize("color", ["", "f", "n[0]"])
def test_every_kind_follows_the_schema_of_vega_lite(kind, color):
    alt.Chart.from_dict(plot(FRAME, kind, "a.b", "n[0]", color).to_dict())


def test_bars_stand_in_the_order_of_the_rows_and_lines_need_no_zero():
    bars, lines = (plot(FRAME, kind, "a.b", "n[0]").to_dict()["encoding"] for kind in ("bars", "lines"))

    assert bars["y"]["sort"] == ["x", "y"] and bars["x"]["axis"]["title"] == "n[0]"
    assert lines["y"]["scale"] == {"zero": False}


def test_points_of_few_names_differ_in_shape():
    assert "shape" in plot(FRAME, "points", "a.b", "n[0]", "f").to_dict()["encoding"]


def test_only_the_first_names_and_rows_are_drawn():
    frame = pd.DataFrame({"a": range(5000), "b": 1})

    assert plotted_rows(frame, "bars", "a")["a"].tolist() == list(range(MAX_BARS))
    assert len(plotted_rows(frame, "points", "a")) == MAX_MARKS
