"""A received database: it is locked before it is opened, and only our tables are accepted in it."""

import re
import time

import duckdb
import pytest

from db import vectors
from db.connection import Bundle, cursor, open_bundle, query
from db.errors import BundleDamaged, QueryError
from db.layout import DATABASE, SCHEMA
from db.locked_database import time_limit
from tests.support.bundles import IMAGE_IDS, MODEL_KEY
from tests.support.places import edit, seal

VIEW = re.compile(r"create view label_disagreements.*?;", re.DOTALL)
ENDLESS = "with recursive t as (select 1 as i union all select i + 1 from t) select 6 as format from t"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("drop table bundle; create view bundle as select 6 as format", "it holds the view main.bundle"),
        (f"drop table bundle; create view bundle as {ENDLESS}", "it holds the view main.bundle"),
        ("drop table text; create view text as from range(1e12::bigint)", "it holds the view main.text"),
        ("create view mine as select 1", "it holds the view main.mine"),
        ("drop view leaderboard", "it lacks the view main.leaderboard"),
        (
            "create or replace view leaderboard as select 1 as model_key",
            "its view main.leaderboard has another",
        ),
        (f"create or replace view head_overview as {ENDLESS}", "its view main.head_overview has another"),
        (
            "drop view texts_of_head; create table texts_of_head (a text)",
            "it holds the table main.texts_of_head",
        ),
        ("create macro lower(x) as 'mine'", "it holds the function main.lower"),
        ("create macro texts() as table select 1", "it holds the function main.texts"),
        ("create sequence numbers", "it holds the sequence main.numbers"),
        ("create type mood as enum ('a')", "it holds the type main.mood"),
        ("create table more as select 1 as a", "it holds the table main.more"),
        ("create schema other", "it holds the schema other"),
        ("create index fast on head (rank)", "it holds the index main.fast"),
        ("alter table head add column more integer", "its table main.head has other columns"),
        ("alter table head alter column rank set default 7", "its table main.head has other columns"),
        ("alter table head alter column rank type bigint", "its table main.head has other columns"),
        (
            "create or replace table bundle as select 6 as format, 'tiny' as input_id",
            "its table main.bundle has other columns or keys",
        ),
    ],
)
def test_only_our_tables_are_accepted(copy, sql, message):
    edit(copy, sql)
    start = time.perf_counter()

    with pytest.raises(BundleDamaged, match=message):
        open_bundle(copy)

    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("having count(distinct head_label.label) > 1", "having count(distinct head_label.label) > 0"),
        ("label_disagreements as", "label_disagreements(a, b, c, d, e, f, g, h, i) as"),
        ("from head_label", "from (from head_label) as head_label"),
        ("head_label.layer,", "head_label.layer + 0,"),
    ],
)
def test_a_view_that_differs_from_ours_in_one_word_is_refused(copy, old, new):
    ours = VIEW.search(SCHEMA.read_text())[0]
    assert old in ours
    edit(copy, f"drop view label_disagreements; {ours.replace(old, new, 1)}")

    with pytest.raises(BundleDamaged, match="its view main.label_disagreements has another query than ours"):
        open_bundle(copy)


def test_a_view_of_ours_is_accepted_however_it_is_written(copy):
    """Layout and brackets are no part of a query; nor is the way in which DuckDB prints it."""
    ours = VIEW.search(SCHEMA.read_text())[0].replace("join model", "inner   join model")
    edit(copy, f"drop view label_disagreements; {ours}")

    with open_bundle(copy).connection as connection:
        assert connection.execute("from headlight.label_disagreements").fetchall()


def test_a_column_that_is_a_formula_is_refused(copy):
    edit(copy, "drop table published; create table published (note varchar as ('mine'), model varchar)")

    with pytest.raises(BundleDamaged, match="its table main.published has other columns"):
        open_bundle(copy)


def test_a_log_beside_the_database_is_refused(copy):
    (copy / f"{DATABASE}.wal").write_bytes(b"x")
    seal(copy)

    with pytest.raises(BundleDamaged, match=r'"files" is not'):
        open_bundle(copy)


@pytest.mark.parametrize(
    "sql",
    [
        "install httpfs",
        "load httpfs",
        "attach '{path}/other.duckdb'",
        "select * from read_text('{path}/secret.txt')",
        "select * from glob('{path}/*')",
        "copy (select 1) to '{path}/out.csv'",
        "create persistent secret s (type http, bearer_token 'x')",
        "set allowed_paths = ['{path}/secret.txt']",
        "set autoload_known_extensions = true",
        "set max_execution_time = 0",
    ],
)
def test_nothing_else_on_the_machine_can_be_reached(tiny: Bundle, tmp_path, sql):
    (tmp_path / "secret.txt").write_text("a secret")

    with pytest.raises(duckdb.Error):
        cursor(tiny).execute(sql.format(path=tmp_path)).fetchall()

    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


@pytest.mark.parametrize(
    "sql",
    [
        "select max(a.range * b.range) from range(1e9::bigint) a, range(1e9::bigint) b",
        "select range from range(1e12::bigint)",
    ],
)
def test_a_query_ends_at_its_time_limit(tiny: Bundle, sql):
    """Also where DuckDB streams its rows, to which its own limit does not apply."""
    connection = cursor(tiny)
    start = time.perf_counter()

    with pytest.raises(duckdb.InterruptException), time_limit(connection, 0.3):
        connection.execute(sql)
        while connection.fetchmany(10_000):
            pass

    assert time.perf_counter() - start < 5


def test_a_query_of_our_own_that_takes_too_long_says_so(tiny: Bundle, monkeypatch):
    monkeypatch.setattr("db.connection.MAX_SECONDS", 0.2)

    with pytest.raises(QueryError, match="took longer than 0.2 seconds"):
        query(tiny, "select max(a.range * b.range) as m from range(1e9::bigint) a, range(1e9::bigint) b")


def test_a_database_in_a_folder_with_a_quote_is_opened(copy, tmp_path):
    copy.rename(tmp_path / "it's [mine] #1 100% ü")

    bundle = open_bundle(tmp_path / "it's [mine] #1 100% ü")

    assert query(bundle, "select count(*) as n from head")["n"][0] == 8
    bundle.close()


def test_a_bundle_behind_a_link_is_opened(copy, tmp_path):
    (tmp_path / "link").symlink_to(copy)

    bundle = open_bundle(tmp_path / "link")

    assert query(bundle, "select count(*) as n from head")["n"][0] == 8
    assert vectors.image_ids(bundle, MODEL_KEY).tolist() == IMAGE_IDS
    bundle.close()
