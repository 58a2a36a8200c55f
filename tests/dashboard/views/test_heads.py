"""The page of heads, opened and used over the tiny bundle: what it finds, lists and links to."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.pages import link, open_page, said, words


def found(app) -> pd.DataFrame:
    """What the finder lists."""
    return next(frame.value for frame in app.dataframe if "first_texts" in frame.value)


def test_the_finder_lists_every_head_until_it_is_asked_for_some():
    app = open_page("heads")

    assert found(app)["name"].tolist() == ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]
    assert found(app)["label"].tolist() == ["color", "color", "shape (weak)", "count?"]
    assert found(app)["CCS"].tolist() == [5, 4, 3, 2]
    assert found(app)["CCS, 95 %"].tolist() == ["4 to 5", "3 to 5", "2 to 5", "1 to 5"]
    assert "4 of 4 heads" in words(app)


def test_a_link_asks_for_heads_by_all_filters_together():
    asked = {"labels": "color|shape", "over": "supported", "words": "circle", "range": "2..3.5"}

    app = open_page("heads", **asked)

    assert found(app)["name"].tolist() == ["L2.H0"]
    assert {name: link(app)[name] for name in asked} == asked
    assert said(app) == ""


def test_filters_of_the_page_stand_in_its_link():
    app = open_page("heads")

    app.multiselect(key="w.labels").set_value(["shape"]).run()
    app.segmented_control(key="w.over").set_value("supported").run()
    app.text_input(key="w.words").set_value("  a   square ").run()
    app.slider[0].set_value((3.0, 4.5)).run()

    assert not app.exception
    asked = {"labels": "shape", "over": "supported", "words": "a square", "range": "3..4.5"}
    assert {name: link(app)[name] for name in asked} == asked
    assert found(app)["name"].tolist() == ["L2.H0"]


def test_no_head_that_passes_says_what_to_do():
    app = open_page("heads", words="zebra")

    assert "No head passes all of these filters" in said(app)
    assert not app.exception


def test_what_colors_the_heads_is_listed_too():
    app = open_page("heads", color="selectivity:color")

    table = found(app).set_index("name")
    assert not app.exception
    assert link(app)["color"] == "selectivity:color"
    assert "**Selectivity for color**: Share of the head's variance" in words(app)
    assert table["Selectivity for color"].tolist() == [0.8, 0.5, 0.1, 0.05]
    assert table.loc["L1.H0", "Selectivity for color, 95 %"] == "0.75 to 0.85"


def test_a_click_on_a_row_opens_the_page_of_that_head():
    app = open_page("heads", labels="shape|count")

    app.session_state["heads.found"] = {"selection": {"rows": [1], "columns": [], "cells": []}}
    app.run()

    assert app.title[0].value == "Head"
    assert link(app)["head"] == "L2.H1"
    assert said(app) == ""


def test_a_step_back_from_a_head_leads_to_the_heads_as_they_were_left():
    """The browser's history has the head's link behind the path of the page that was left."""
    app = open_page("heads", color="ccs", words="circle")
    app.session_state["heads.found"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    of_the_head = link(app)

    app.switch_page("views/heads.py")
    for name, value in of_the_head.items():
        app.query_params[name] = value
    app.run()

    assert app.title[0].value == "Heads"
    assert said(app) == ""
    assert app.selectbox(key="w.color").value == "ccs"
    assert found(app)["name"].tolist() == ["L1.H1", "L2.H0", "L2.H1"]
    assert "position" not in link(app), "an address holds the page's own parameters"
    app.text_input(key="w.words").set_value("square").run()
    assert (link(app)["color"], link(app)["words"]) == ("ccs", "square")


def test_what_the_model_lacks_is_named_and_replaced():
    app = open_page("heads", color="warmth", labels="color|taste", range="4..1")

    for part in (
        "color=warmth: the heads of this model cannot be colored by it. Shown instead: label.",
        'no head of this model is labeled "taste". Shown instead: color.',
        "a range runs from its lower to its upper end",
    ):
        assert part in said(app)
    assert found(app)["name"].tolist() == ["L1.H0", "L1.H1"]


def test_another_model_keeps_the_filters_that_it_can():
    app = open_page("heads", labels="color", head_metric="ccs", range="2..5")

    app.selectbox(key="w.model").set_value(CONTROL_KEY).run()

    assert not app.exception
    assert found(app)["name"].tolist() == ["L2.H0", "L2.H1"]
    assert link(app)["labels"] == ""


@pytest.mark.parametrize("page", ["heads", "head"])
def test_a_page_of_imported_results_opens_from_its_own_link(monkeypatch, imported, page):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page(page, model=CONTROL_KEY)
    again = open_page(page, **link(app))

    assert not app.exception
    assert link(app)["model"] == CONTROL_KEY
    assert link(again) == link(app)
    assert not again.warning


def test_heads_without_metrics_are_found_by_label_and_words(monkeypatch, imported):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(imported))

    app = open_page("heads", model=CONTROL_KEY, labels="color", words="circle")

    assert found(app)["name"].tolist() == ["L1.H1"]
    assert not app.slider
    assert said(app) == ""


def test_every_head_found_has_a_link_for_the_keyboard():
    app = open_page("heads", over="supported")
    [listed] = [html.proto.body for html in app.get("html") if "<details>" in html.proto.body]

    addresses = [parse_qs(urlsplit(unescape(link)).query) for link in re.findall('href="(.*?)"', listed)]

    assert [address["head"][0] for address in addresses] == found(app)["name"].tolist()
    assert all(address["model"] == [MODEL_KEY] for address in addresses)
