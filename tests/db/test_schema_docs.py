"""The schema documents itself, and the page that shows it is up to date."""

import pytest

from db import ddl
from db.layout import sql_of
from db.schema_docs import schema_markdown
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "schema.md"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return ddl.create(tmp_path_factory.mktemp("empty") / "empty.duckdb")


def test_the_page_is_what_the_schema_says():
    assert PAGE.read_text(encoding="utf-8") == schema_markdown(), (
        'docs/schema.md is out of date. Run "make docs".'
    )


def test_every_table_and_every_column_has_a_comment(empty):
    named = empty.execute(sql_of("table_comments")).fetchall()
    named += [(f"{row[0]}.{row[1]}", row[4]) for row in empty.execute(sql_of("table_columns")).fetchall()]

    assert [name for name, comment in named if not comment] == []


@pytest.mark.parametrize("table", ["image_set", "text_pool"])
def test_tables_of_one_row_say_so(empty, table):
    assert dict(empty.execute(sql_of("table_comments")).fetchall())[table].startswith("One row: ")
