"""Charts of the report: marks at their values, words escaped, valid as XML."""

import xml.etree.ElementTree as ElementTree
from math import nan

import numpy as np
import pytest

from headlight.report import charts
from headlight.report.charts import BarRow, DotRow, Mark, StackRow
from tests.support.hostile import HOSTILE


def drawn(chart) -> ElementTree.Element:
    return ElementTree.fromstring(str(chart))


def test_a_dot_stands_at_its_value_between_the_ends_of_its_interval():
    mark = Mark(0.5, 0.25, 0.75, "model", 0.1)
    chart = drawn(charts.dots([DotRow("a", "b", [mark])], "share", "alt", share=True))

    [group] = chart.findall("g")
    tick, interval = group.findall("line")
    assert float(tick.get("x1").rstrip("%")) == pytest.approx(2 + 96 * 0.1)
    assert [float(interval.get(end).rstrip("%")) for end in ("x1", "x2")] == [26.0, 74.0]
    assert group.find("svg").get("x") == "50.000%"


def test_missing_values_have_no_marks():
    chart = drawn(charts.dots([DotRow("a", "–", [Mark(nan, nan, nan)])], "share", "alt", share=True))

    assert chart.find("g/svg") is None
    assert chart.find("g/line") is None


def test_negative_parts_are_left_of_zero_and_positive_parts_add_up():
    row = StackRow("L1", "", [(30.0, 0, "x"), (-10.0, 1, "y"), (10.0, 2, "z")])
    bars = drawn(charts.stacks([row], "%", "alt")).findall("rect")
    edges = [(float(bar.get("x").rstrip("%")), float(bar.get("width").rstrip("%"))) for bar in bars]

    zero = edges[0][0]
    assert edges[1][0] + edges[1][1] == pytest.approx(zero, abs=0.01)
    assert edges[2][0] == pytest.approx(zero + edges[0][1], abs=0.01)


@pytest.mark.parametrize("low, high", [(0, 1), (-2, 2), (0, 0.0371), (0, 0), (-0.3, 12), (0, 4e6)])
def test_ticks_are_few_and_within_the_axis(low, high):
    ends = charts.domain([low, high], False)
    places = charts.ticks(*ends)

    assert 2 <= len(places) <= 7
    assert ends[0] <= low <= high <= ends[1]
    assert 0 in places


@pytest.mark.parametrize("words", HOSTILE)
def test_words_are_escaped(words):
    rows = [BarRow(words, words, 1.0, 2.0)]
    legal = "".join(letter for letter in words if letter >= " ")
    chart = drawn(charts.bars([row._replace(title=legal, note=legal) for row in rows], legal, legal))

    assert chart.findall("text")[-1].text == (legal or None)
    assert chart.get("aria-label") == legal


def test_a_histogram_has_a_bar_for_every_bin():
    chart = drawn(charts.histogram(np.array([1, 2, 0]), np.array([-3.0, -1.0, 1.0, 3.0]), "unit", "alt"))

    assert [float(bar.get("height")) for bar in chart.findall("rect")] == [55.0, 110.0, 0.0]
