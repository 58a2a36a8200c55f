"""A page shows the queries that made its numbers, as they ran, and no others."""

import re
from collections.abc import Callable
from contextlib import closing
from functools import cache
from typing import NamedTuple

import pytest
import streamlit as st

from db import connection
from db.connection import open_bundle, query
from db.layout import sql_of
from tests.support.bundles import MODEL_KEY
from tests.support.pages import NUMBERS, WITH_NUMBERS, open_page, shown_queries

Ran = list[tuple[str, dict]]
"""SQL and parameters of all that DuckDB was asked."""


class Logged:
    """A cursor that logs what it executes."""

    def __init__(self, inner, log: Ran) -> None:
        self.inner, self.log = inner, log

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def execute(self, sql, parameters=None):
        self.log.append((sql, parameters or {}))
        return self.inner.execute(sql, parameters or {})


class Drawing(NamedTuple):
    """The queries that a page showed, and those that ran for it."""

    shown: list[str]
    ran: Ran


@pytest.fixture(scope="module")
def drawings() -> Callable[[str], tuple[Drawing, Drawing]]:
    """Draws a page with nothing kept from before, and again with what is kept; once for all tests."""

    @cache
    def draw(page: str) -> tuple[Drawing, Drawing]:
        st.cache_resource.clear()
        return drawn(page), drawn(page)

    return draw


def drawn(page: str) -> Drawing:
    log: Ran = []
    cursor = connection.cursor
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "cursor", lambda bundle: Logged(cursor(bundle), log))
        app = open_page(page, opened=NUMBERS)
    assert not app.exception
    return Drawing(shown_queries(app), log)


def is_filled_in(sql: str, shown: str) -> bool:
    """True where `shown` is `sql` with something in place of each parameter."""
    fixed = [re.escape(part) for part in re.split(r"\$\w+", sql)]
    return re.fullmatch(".*?".join(fixed), shown, re.DOTALL) is not None


@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_every_query_that_a_page_shows_ran_for_it(bundle, drawings, page):
    first, _ = drawings(page)

    assert first.shown
    with closing(open_bundle(bundle)) as opened:
        for sql in first.shown:
            by_hand = query(opened, sql)
            same = [(text, values) for text, values in first.ran if is_filled_in(text, sql)]
            assert any(by_hand.equals(query(opened, text, values)) for text, values in same), sql


@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_a_page_drawn_again_from_what_is_kept_shows_the_same_queries(drawings, page):
    first, again = drawings(page)

    assert again.shown == first.shown
    assert again.ran == []  # not one of them ran again


@pytest.mark.parametrize("page", WITH_NUMBERS)
def test_no_page_lists_all_images(drawings, page):
    """Of a million images a page asks for those that it shows."""
    first, _ = drawings(page)

    assert first.ran
    lists = [values for sql, values in first.ran if sql == sql_of("images")]
    assert all(values["limit"] is not None for values in lists)


def test_every_image_of_the_table_comes_from_the_query_that_is_shown(bundle):
    app = open_page("image_neighbors", model=MODEL_KEY, k="3", opened=NUMBERS)
    [images] = [sql for sql in shown_queries(app) if "image_file" in sql]

    with closing(open_bundle(bundle)) as opened:
        rows = query(opened, images)

    table = app.dataframe[0].value
    assert dict(zip(rows["image_id"], rows["path"], strict=True)) == dict(
        zip(table["image_id"], table["path"], strict=True)
    )
