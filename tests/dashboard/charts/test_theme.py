"""Titles that other people write, in the code that Vega-Lite makes of a chart."""

import json

import altair as alt
import pytest

from dashboard.charts import theme


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
