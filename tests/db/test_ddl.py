"""The database of a bundle: storage version, format and keys."""

import duckdb
import pytest

from db import ddl
from db.connection import query
from db.layout import DATABASE, FORMAT


def test_the_bundle_table_says_format_and_input_id(tiny):
    assert query(tiny, "select * from bundle").to_dict("records") == [{"format": FORMAT, "input_id": "tiny"}]


def test_the_database_has_the_storage_version_that_older_ones_read(tiny):
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tiny.path / DATABASE}' as b (read_only)")
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'b'").fetchall()

    assert tags[0][0]["storage_version"].startswith("v1.2.0")


def test_a_file_that_could_not_be_created_can_be_written_again_while_its_error_is_handled(
    tmp_path, monkeypatch
):
    """The error refers to the connection, and DuckDB attaches no file that is attached already."""
    incomplete = tmp_path / "schema.sql"
    incomplete.write_text("create table bundle (")
    with monkeypatch.context() as patch, pytest.raises(duckdb.Error) as refused:
        patch.setattr(ddl, "SCHEMA", incomplete)
        ddl.create(tmp_path / "new.duckdb")

    assert refused.tb
    assert ddl.columns(ddl.create(tmp_path / "new.duckdb"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return ddl.create(tmp_path_factory.mktemp("empty") / "empty.duckdb")


def test_every_table_has_a_key(empty):
    assert set(ddl.keys(empty)) == set(ddl.columns(empty))


def test_keys_have_one_name_in_all_tables(empty):
    """
    What names a model, an image or a text is called the same everywhere.
    """
    columns = {column for names in ddl.columns(empty).values() for column in names}

    assert columns.isdisjoint(
        {"model_id", "id", "image", "img_id", "image_hash", "text_hash", "layer_id", "head_id"}
    )
