"""A query typed by a person: it reads, it ends, and it is answered in words where it cannot be run."""

import time

import pytest

from db.console import ask
from db.errors import QueryError


def test_answers_a_select(tiny):
    answer = ask(tiny, "select count(*) as heads from head;")

    assert answer.rows.to_dict("records") == [{"heads": 8}]
    assert not answer.cut


def test_explains(tiny):
    assert "head" in ask(tiny, "explain select * from head").rows.to_string()


def test_describes_tables(tiny):
    assert "head_label" in ask(tiny, "show tables").rows.iloc[:, 0].tolist()


def test_an_answer_without_rows_keeps_its_columns(tiny):
    answer = ask(tiny, "select * from head where layer = 99")

    assert answer.rows.empty
    assert "importance" in answer.rows.columns


def test_cuts_a_long_answer_and_says_so(tiny):
    answer = ask(tiny, "select * from range(100000)", rows=2500)

    assert len(answer.rows) == 2500
    assert answer.cut
    assert not ask(tiny, "select * from range(2500)", rows=2500).cut


def test_stops_what_takes_too_long(tiny):
    began = time.monotonic()

    with pytest.raises(QueryError, match="stopped after 0.3 seconds"):
        ask(
            tiny,
            "select count(*) from range(1000000) a, range(1000000) b where hash(a.range, b.range) % 7 = 1",
            seconds=0.3,
        )

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("", "0 statements were given. Give exactly one"),
        ("select 1; select 2", "2 statements were given"),
        ("selec 1", "syntax error"),
        ("select * from heads", "heads does not exist"),
        ("create temp table x as select 1", "type CREATE. Only select and explain"),
        ("detach headlight", "type DETACH"),
        ("pragma database_list", "type PRAGMA"),
        ("set threads = 1", "type SET"),
        ("copy head to 'x.csv'", "type COPY"),
        ("explain analyze copy head to 'x.csv'", "type COPY"),
        ("explain /* all */ analyze copy head to 'x.csv'", "syntax error|type COPY"),
    ],
)  # fmt: skip
def test_refuses_what_does_not_read(tiny, sql, message):
    with pytest.raises(QueryError, match=message):
        ask(tiny, sql)
