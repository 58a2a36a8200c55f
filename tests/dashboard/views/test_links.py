"""Links with any value for any parameter: the page opens, and says once what it shows instead."""

import sys

import pytest
from streamlit.testing.v1 import AppTest

import precompute
from tests.support.hostile import HOSTILE
from tests.support.pages import PAGES, link, open_page, said

FREE = ("words", "text", "against", "concept", "query", "onto")
"""Parameters that may hold any text."""


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "precompute.live", None)
    monkeypatch.delattr(precompute, "live", raising=False)


def warnings(app: AppTest) -> list[str]:
    """Returns the warnings of the page itself; the sidebar has its own for bundle and model."""
    return [box.value for box in app.main.warning]


@pytest.mark.parametrize("page", PAGES)
def test_a_link_that_is_wrong_throughout_opens_and_says_so_once(page):
    wrong = {name: "zebra" for name in link(open_page(page)) if name not in FREE}

    app = open_page(page, **wrong, zoom="3")

    assert not app.exception
    assert len(warnings(app)) == 1
    assert len(app.sidebar.warning) == 2
    assert not set(link(app).values()) & {"zebra"}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_any_value_of_any_parameter_is_shown_or_explained(page):
    """The parameters are those of the page's own link."""
    for name in link(open_page(page)):
        for value in [*HOSTILE, ["zebra", "zebra"]]:
            app = open_page(page, **{name: value})

            assert not app.exception, (name, value)
            assert len(warnings(app)) + len(app.sidebar.warning) <= 1, (name, value)
            shown = link(app)[name]
            once = value if isinstance(value, str) else value[-1]  # of several, the last counts
            assert said(app) or shown.split() == once.split(), (name, value)
            assert len(said(app)) < 1000, (name, value)
