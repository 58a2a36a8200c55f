"""A query in the worker's own locked connection: it reads the tables, and does nothing else."""

import json
import os
import subprocess
import sys

import pytest

from db.connection import open_bundle, query
from db.console import reading
from db.console_worker import SETTINGS, answer
from db.errors import QueryError
from db.layout import DATABASE
from db.locked_database import attach
from tests.support.hostile_sql import REFUSED
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def connection(tiny_bundle):
    connection = attach(tiny_bundle / DATABASE, tiny_bundle, SETTINGS)
    connection.execute("use headlight")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A folder with a file that no query may read, and nothing else."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.csv").write_text("a,b\nsecret,1\n")
    return folder


@pytest.fixture
def answer_to(connection):
    def ask(sql, **changes):
        limits = {"seconds": 10.0, "rows": 100, "bytes": 10**6}
        parameters = {"model_key": "tiny-known", "unused": 1}
        return answer(connection, limits | {"sql": sql, "parameters": parameters} | changes)

    return ask


def test_hostile_statements_are_at_least_eighty_and_differ():
    assert len(set(REFUSED)) == len(REFUSED) >= 80


@pytest.mark.parametrize("sql", REFUSED)
def test_a_hostile_statement_does_nothing(connection, outside, sql):
    with (
        pytest.raises(QueryError),
        reading(connection, sql.format(outside=outside / "secret.csv", out=outside / "out"), {}, 5),
    ):
        pass

    assert os.listdir(outside) == ["secret.csv"]


def test_after_all_hostile_statements_the_tables_and_limits_are_as_before(connection, tiny_bundle):
    settings = "select name, value from duckdb_settings() order by name"
    fresh = attach(tiny_bundle / DATABASE, tiny_bundle, SETTINGS)
    fresh.execute("use headlight")
    other = open_bundle(tiny_bundle)

    assert connection.execute(settings).fetchall() == fresh.execute(settings).fetchall()
    assert (
        connection.execute("from duckdb_databases()").fetchall()
        == fresh.execute("from duckdb_databases()").fetchall()
    )
    assert query(other, "select count(*) as heads from head")["heads"].tolist() == [8]
    other.close()
    fresh.close()


def test_an_answer_is_a_line_of_facts_and_a_line_a_row(answer_to):
    values = "select 1 as a, null::int as b, 0.5::decimal(3, 1) as c, [1] as d, 'x'::blob as e, true as f"

    facts, row = answer_to(values)

    kinds = ["number", "number", "number", "text", "blob", "boolean"]
    assert json.loads(facts) == {
        "columns": [[n, k] for n, k in zip("abcdef", kinds, strict=True)],
        "cut": False,
    }
    assert json.loads(row) == [1, None, 0.5, "[1]", "eA==", True]


def test_only_the_parameters_that_a_query_names_are_given(answer_to):
    assert answer_to("select $model_key as a")[1] == '["tiny-known"]'
    assert answer_to("select '$model_key' as a")[1] == '["$model_key"]'


def test_rows_and_bytes_are_cut(answer_to):
    by_rows = answer_to("from range(1000)")
    by_bytes = answer_to("select repeat('x', 1000) from range(1000)", bytes=5000)

    assert len(by_rows) == 1 + 100 and json.loads(by_rows[0])["cut"]
    assert len(by_bytes) == 1 + 4 and json.loads(by_bytes[0])["cut"]
    assert not json.loads(answer_to("from range(100)")[0])["cut"]
    with pytest.raises(QueryError, match="one row takes more than"):
        answer_to("select repeat('x', 10000)", bytes=5000)


def test_the_process_can_write_no_file_and_take_no_more_memory_than_its_limit(tmp_path):
    code = f"""
from db.console_worker import MAX_DATA, limit_process
limit_process(10)
for what in (lambda: open({str(tmp_path / "file")!r}, "w").write("x" * 100000), lambda: bytearray(MAX_DATA)):
    try:
        what()
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.split() == ["OSError", "MemoryError"]
    assert (tmp_path / "file").stat().st_size == 0


def test_the_worker_starts_without_pandas_and_pyarrow():
    code = "import sys, db.console_worker; print({'pandas', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.strip() == "set()"
