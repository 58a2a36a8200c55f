"""A query in a process of its own: its answer comes back, and it ends when it is told to."""

import resource
import time

import pytest

from db import console_process
from db.connection import query
from db.console_process import RunningQuery, frame_of
from db.errors import QueryError

ENDLESS = "select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 1"
NEVER_INTERRUPTED = "select levenshtein(repeat('a', 200000), repeat('b', 200000))"


def answer_of(bundle, sql, **options):
    with RunningQuery(bundle, sql, **options) as running:
        while not running.wait(0.05):
            pass
        return running.answer()


def test_answers_with_numbers_texts_and_bytes(tiny):
    sql = "select layer, head, $model_key as model, [layer] as list, 'x'::blob as bytes, null::double as no"

    answer = answer_of(
        tiny,
        f"{sql} from head where model_key = $model_key order by all",
        parameters={"model_key": tiny.model_keys[0], "x": 1},
    )

    assert not answer.cut
    assert answer.rows.dtypes.astype(str).tolist() == ["int64", "int64", "str", "str", "object", "float64"]
    assert answer.rows[["layer", "head"]].to_numpy().tolist() == [[1, 0], [1, 1], [2, 0], [2, 1]]
    assert answer.rows["list"].tolist() == ["[1]", "[1]", "[2]", "[2]"]
    assert answer.rows["bytes"].tolist() == [b"x"] * 4


def test_a_query_that_cannot_be_run_is_explained(tiny):
    with pytest.raises(QueryError, match="heads does not exist"):
        answer_of(tiny, "select * from heads")


def test_a_cross_join_that_does_not_end_is_stopped_and_takes_nothing_here(tiny):
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    with pytest.raises(QueryError, match="stopped after 0.3 seconds"):
        answer_of(tiny, ENDLESS, seconds=0.3)

    assert time.monotonic() - began < 0.3 + console_process.GRACE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000
    assert query(tiny, "select count(*) as heads from head")["heads"].tolist() == [8]


def test_a_function_that_duckdb_never_interrupts_is_killed(tiny, monkeypatch):
    monkeypatch.setattr(console_process, "GRACE", 0.2)

    with pytest.raises(QueryError, match="stopped after 0.1 seconds"):
        answer_of(tiny, NEVER_INTERRUPTED, seconds=0.1)


def test_a_query_ends_with_its_block(tiny):
    with RunningQuery(tiny, ENDLESS) as running:
        assert not running.wait(0.01)

    assert running.process.poll() is not None


def test_the_process_inherits_no_keys(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")

    assert set(console_process.environment()) <= {*console_process.ENVIRONMENT, "PYTHONPATH"}


def test_columns_of_one_name_stay_apart_and_no_rows_keep_their_types():
    frame = frame_of([("a", "number"), ("a", "text"), ("b", "boolean")], [])

    assert frame.columns.tolist() == ["a", "a 2", "b"]
    assert frame.dtypes.astype(str).tolist() == ["float64", "str", "object"]
