"""A few bytes that unpack to fill the memory are refused before anything reads them."""

import pytest

from db import checks, connection, queries, table_sizes
from db.connection import Bundle, cursor, open_bundle, query
from db.errors import BundleDamaged, QueryError, StoreError
from db.layout import VECTORS
from db.store import BundleWriter
from db.table_sizes import MAX_TEXT, size_problem
from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, MODEL_KEY
from tests.support.places import edit

FILL = "insert into failed_image select i::varchar, {reason} from range({rows}) t(i)"


@pytest.mark.parametrize(
    ("rows", "reason", "message"),
    [
        (1, f"repeat('x', {MAX_TEXT + 1})", "table failed_image has a text of 1048577 bytes"),
        (10, "repeat('x', 300000)", "tables unpack to 3 MB, from a file of [12] MB"),
    ],
)
def test_texts_that_unpack_to_more_than_the_file_can_hold_are_refused(
    copy, monkeypatch, rows, reason, message
):
    monkeypatch.setattr(table_sizes, "ROOM", 2**20)
    monkeypatch.setattr(table_sizes, "RATIO", 1)
    edit(copy, FILL.format(rows=rows, reason=reason))

    with pytest.raises(BundleDamaged, match=message):
        open_bundle(copy)


def test_more_rows_than_a_file_can_hold_are_refused_unread(tiny: Bundle, monkeypatch):
    monkeypatch.setattr(table_sizes, "ROOM", 1000)

    assert size_problem(cursor(tiny), "headlight", 10**6) is None
    assert "its table head_label claims 26 rows" in str(size_problem(cursor(tiny), "headlight", 10))


def test_a_text_that_no_reader_accepts_is_not_published(out):
    tables = bundles.tables()
    tables["failed_image"]["reason"] = "x" * (MAX_TEXT + 1)

    with BundleWriter(out, input_id="x") as writer, pytest.raises(StoreError, match="has a text of"):
        for name, rows in tables.items():
            writer.write(name, rows)
        writer.finish()


def test_a_result_that_fills_the_memory_is_refused(tiny, monkeypatch):
    """A join repeats a text as often as rows name it."""
    monkeypatch.setattr(connection, "MAX_RESULT", 10**6)

    with pytest.raises(QueryError, match="the result takes 0.0 GB of memory, more than"):
        query(tiny, "select repeat('x', 1000) as text from range(2000)")


def test_a_thumbnail_of_many_bytes_is_not_read(copy):
    edit(copy, f"update image set thumbnail = repeat('x', 2000000)::blob where image_id = '{IMAGE_IDS[0]}'")

    data = queries.thumbnails(open_bundle(copy), image_ids=IMAGE_IDS[:2])["thumbnail"]

    assert data[0] is None
    assert data[1].startswith(b"\xff\xd8")


def test_vectors_that_unpack_to_more_than_their_files_hold_are_refused(tiny, monkeypatch):
    monkeypatch.setattr(table_sizes, "ROOM", 0)
    monkeypatch.setattr(table_sizes, "RATIO", 0)

    found = checks.problems(cursor(tiny), tiny.path / VECTORS)

    assert f"vectors images__{MODEL_KEY} unpack to 0 MB, from 0 MB of files" in found
