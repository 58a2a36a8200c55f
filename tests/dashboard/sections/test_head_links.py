"""Names of heads in tables: links that sort as the heads do, and show the name alone."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dashboard.data import cached
from dashboard.sections import head_links
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.pages import link, open_page, open_path, said
from tests.support.tables import table_with


@pytest.fixture(autouse=True)
def _serve(two_models, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(two_models))


@pytest.fixture
def source(two_models):
    return cached.source(cached.bundle(two_models), "tiny", MODEL_KEY)


def test_links_sort_by_layer_and_head_and_show_what_they_are_given(source):
    names = ["L2.H0", "L2.H11", "L9.H3 cosine", "L10.H1"]

    addresses = head_links.addresses(source, names)

    assert sorted(addresses) == addresses
    assert [unquote(re.search(head_links.SHOWN, address)[1]) for address in addresses] == names
    assert head_links.addresses(source, ["embedding", "L2"]) == [None, None]


@pytest.mark.parametrize(
    ("page", "options", "column"),
    [
        ("heads", {}, "open"),
        ("which_head", {"text": "a square"}, "open"),
        ("compare", {}, "head"),
        ("validation", {"section": "heads"}, "open"),
        ("validation", {"section": "neighbors"}, "best_head"),
    ],
)
def test_every_head_in_a_table_links_to_its_page(page, options, column):
    app = open_page(page, **options)

    addresses = table_with(app, column)[column].dropna().tolist()
    address = urlsplit(addresses[-1])
    opened = open_path(address.path, **{name: value for name, [value] in parse_qs(address.query).items()})
    assert said(opened) == ""
    assert link(opened)["head"] == re.search(r"#head=(L\d+\.H\d+)", addresses[-1])[1]
    assert link(opened)["model"] == dict(parse_qs(address.query))["model"][0]


def test_a_click_on_the_name_of_a_head_leaves_the_page_where_it_is():
    app = open_page("which_head", text="a square")
    keys = app.dataframe[0].value["model_key"].tolist()
    row = keys.index(CONTROL_KEY)

    for column, title in ((head_links.LINK, "Which head reads this?"), ("label", "Head")):
        app.session_state["reads.table"] = {
            "selection": {"rows": [], "columns": [], "cells": [(row, column)]}
        }
        app.run()
        assert app.title[0].value.startswith(title)
