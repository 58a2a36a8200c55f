"""Titles that other people write, in the code that Vega-Lite makes of a chart."""

import ast
import json

import altair as alt
import pytest

from dashboard.charts import theme
from tests.support.paths import ROOT


@pytest.mark.parametrize(
    "title", ['a "quote"', "back\\slash", 'both \\"', "end\\", "two\nlines", "ε²\u2028", "'"]
)
def test_a_title_is_one_string_of_code(title):
    """Vega-Lite escapes the quotes of a title, and writes it between quotes."""
    code = '"' + theme.code_title(title).replace('"', '\\"') + '"'

    assert json.loads(code) == title


@pytest.mark.parametrize("title", ["image", "title"])
def test_a_tooltip_shows_no_picture_for_a_title(title):
    [tooltip] = theme.numbers(".3f", value=title)

    assert tooltip.to_dict()["title"] == f"{title} "


def test_an_axis_shows_its_title_as_it_was_written():
    channel = alt.X("value:Q", **theme.axis_title("a \\ b")).to_dict()

    assert channel["axis"]["title"] == "a \\ b"
    assert channel["title"] == "a \\\\ b"


CHARTS = sorted((ROOT / "dashboard" / "charts").glob("*.py"))
POSITIONS = ("X", "Y", "XOffset", "YOffset")


def categorical_axes(tree: ast.AST) -> list[ast.Call]:
    """Returns the calls that place marks by a word: alt.Y("part:N", ...)."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    places = [call for call in calls if getattr(call.func, "attr", "") in POSITIONS]
    return [call for call in places if ast.unparse(call.args[0]).strip("'\"").endswith((":N", ":O"))]


@pytest.mark.parametrize("path", CHARTS, ids=lambda path: path.stem)
def test_every_categorical_axis_lists_its_values_in_order(path):
    """Vega keeps the order of the former data if only the data change; a list changes the chart too."""
    for call in categorical_axes(ast.parse(path.read_text(encoding="utf-8"))):
        order = next((word.value for word in call.keywords if word.arg == "sort"), ast.Constant(None))
        assert not isinstance(order, ast.Constant), f"line {call.lineno}: {ast.unparse(call)}"


def test_categorical_axes_are_found():
    assert sum(len(categorical_axes(ast.parse(path.read_text(encoding="utf-8")))) for path in CHARTS) >= 12
