"""A page shows the queries that made its numbers, as they ran, and no others."""

import re
from contextlib import closing

import pytest
import streamlit as st

from db import connection
from db.connection import open_bundle, query
from db.layout import sql_of
from tests.support.bundles import MODEL_KEY
from tests.support.pages import PAGES, open_numbers, open_page


@pytest.fixture
def executed(monkeypatch) -> list[tuple[str, dict]]:
    """SQL and parameters of all that DuckDB is asked while a page is drawn, with nothing kept from before."""
    log: list[tuple[str, dict]] = []
    cursor = connection.cursor

    class Logged:
        def __init__(self, inner) -> None:
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def execute(self, sql, parameters=None):
            log.append((sql, parameters or {}))
            return self.inner.execute(sql, parameters or {})

    monkeypatch.setattr(connection, "cursor", lambda bundle: Logged(cursor(bundle)))
    st.cache_resource.clear()
    return log


def is_filled_in(sql: str, shown: str) -> bool:
    """True where `shown` is `sql` with something in place of each parameter."""
    fixed = [re.escape(part) for part in re.split(r"\$\w+", sql)]
    return re.fullmatch(".*?".join(fixed), shown, re.DOTALL) is not None


def shown_by(page: str, **params: str) -> list[str]:
    app = open_page(page, **params)
    open_numbers(app)
    assert not app.exception
    return [code.value for code in app.code]


@pytest.mark.parametrize("page", PAGES)
def test_every_query_that_a_page_shows_ran_for_it(bundle, executed, page):
    shown = shown_by(page)

    assert shown
    ran = list(executed)
    with closing(open_bundle(bundle)) as opened:
        for sql in shown:
            by_hand = query(opened, sql)
            same = [(text, values) for text, values in ran if is_filled_in(text, sql)]
            assert any(by_hand.equals(query(opened, text, values)) for text, values in same), sql


@pytest.mark.parametrize("page", PAGES)
def test_a_page_drawn_again_from_what_is_kept_shows_the_same_queries(executed, page):
    first = shown_by(page)
    asked = len(executed)

    again = shown_by(page)

    assert again == first
    assert len(executed) == asked  # not one of them ran again


@pytest.mark.parametrize("page", PAGES)
def test_no_page_lists_all_images(executed, page):
    """Of a million images a page asks for those that it shows."""
    shown_by(page)

    lists = [values for sql, values in executed if sql == sql_of("images")]
    assert all(values["limit"] is not None for values in lists)


def test_every_image_of_the_table_comes_from_the_query_that_is_shown(bundle):
    app = open_page("image_neighbors", model=MODEL_KEY, k="3")
    open_numbers(app)
    [images] = [code.value for code in app.code if "image_file" in code.value]

    with closing(open_bundle(bundle)) as opened:
        rows = query(opened, images)

    table = app.dataframe[0].value
    assert dict(zip(rows["image_id"], rows["path"], strict=True)) == dict(
        zip(table["image_id"], table["path"], strict=True)
    )
