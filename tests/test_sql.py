"""docs/sql.md on a bundle: every query of it, in this DuckDB and in the oldest that opens a bundle."""

import json
import re
import subprocess
import venv
from pathlib import Path

import duckdb
import pytest

from db.connection import open_bundle, records
from db.export import table_names
from db.layout import DATABASE
from tests.support.bundles import IMAGES, MODEL_KEY, PAIRS
from tests.support.paths import ROOT

PAGE = (ROOT / "docs" / "sql.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"(?ms)^```sql\n(.*?)^```", PAGE)
OLDEST = "1.2.0"

ASK = """
import json, sys, duckdb
database, *queries = sys.argv[1:]
connection = duckdb.connect(database, read_only=True)
print(json.dumps([connection.execute(query).fetchall() for query in queries], default=str))
"""


def test_the_page_has_ten_queries_and_uses_every_view(tiny_bundle):
    bundle = open_bundle(tiny_bundle)
    views = {"leaderboard", "head_overview", "texts_of_head", "heads_of_property", "label_disagreements"}

    assert len(QUERIES) == 10
    assert views < set(table_names(bundle))
    assert [view for view in views if not any(view in query for query in QUERIES)] == []
    bundle.close()


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_every_query_has_rows(tiny_bundle, query):
    with duckdb.connect(tiny_bundle / DATABASE, read_only=True) as connection:
        outside = connection.execute(query).fetchall()
    bundle = open_bundle(tiny_bundle)

    assert outside
    assert [tuple(row.values()) for row in records(bundle, query)] == outside
    bundle.close()


def test_the_example_in_python_joins_vectors_and_tables(tiny_bundle):
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE)
    names: dict = {}

    exec(example.replace("bundles/demo", str(tiny_bundle)), names)

    nearest, bundle = names["nearest"], open_bundle(tiny_bundle)
    assert names["model_key"] == MODEL_KEY and names["image_vectors"].num_rows == IMAGES
    assert nearest.groupby("name", sort=False).size().tolist() == [3] * len(PAIRS)
    assert nearest.groupby("name")["cosine"].apply(lambda cosine: cosine.is_monotonic_decreasing).all()
    bundle.close()


@pytest.fixture(scope="module")
def oldest(tmp_path_factory) -> Path:
    """Python with the oldest DuckDB that opens a bundle, and nothing else."""
    folder = tmp_path_factory.mktemp("oldest")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"duckdb=={OLDEST}"], check=True, timeout=300)
    return python


@pytest.mark.slow
def test_the_oldest_duckdb_reads_every_table_view_and_query(oldest, tiny_bundle):
    bundle = open_bundle(tiny_bundle)
    queries = [f'from "{name}" order by all' for name in table_names(bundle)]
    queries += [*QUERIES, "select comment from duckdb_columns() where table_name = 'leaderboard'"]
    bundle.close()
    command = [oldest, "-c", ASK, tiny_bundle / DATABASE, *queries]

    answered = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    with duckdb.connect(tiny_bundle / DATABASE, read_only=True) as connection:
        expected = [connection.execute(query).fetchall() for query in queries]
    assert json.loads(answered.stdout) == json.loads(json.dumps(expected, default=str))
    assert all(expected[-11:])
