"""The page SQL: questions and queries, their rows, pictures, links, charts, and what it refuses."""

import io
import json
from contextlib import closing

import altair as alt
import pandas as pd
import pytest

from dashboard.data import cached
from dashboard.data import sql as sql_data
from dashboard.sections import shared as sections
from db import console_process
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.pages import link, open_page, said, words
from tests.support.visitor import Visitor

HEADS = (
    "select layer, head, importance, head = 0 as first from head where model_key = $model_key order by all"
)


@pytest.fixture
def source(bundle):
    return cached.source(cached.bundle(bundle), bundle.name, MODEL_KEY)


def test_a_query_of_a_link_is_answered_for_the_model_of_the_sidebar():
    app = open_page("sql", query=HEADS, model=CONTROL_KEY, table="image")

    rows, columns = app.dataframe[1].value, app.dataframe[0].value
    assert said(app) == ""
    assert rows[["layer", "head"]].to_numpy().tolist() == [[2, 0], [2, 1]]
    assert rows["first"].tolist() == ["✓", "–"]
    assert columns["column"].tolist() == ["image_id", "width", "height", "thumbnail"]
    assert "2 rows" in words(app)
    assert {node.proto.label for node in app.main.get("page_link")} == {"L2.H0", "L2.H1"}
    assert link(app)["query"] == HEADS


def test_a_question_fills_the_query_and_a_changed_query_is_ones_own():
    visitor = Visitor("sql")
    question = visitor.widget("w.question")
    place = list(question.proto.options).index("Heads of one property, in every model")

    visitor.choose("w.question", place)
    assert "label = 'color'" in link(visitor.app)["query"]
    assert visitor.app.dataframe[1].value["heads"].tolist() == [2]

    visitor.set(visitor.widget("w.query"), "select 1 as a")
    assert visitor.shown(visitor.widget("w.question")) == "A query of your own"
    assert visitor.fresh().drawn() == visitor.drawn()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "The query is empty"),
        ("drop table head", "type DROP. Only select and explain are allowed"),
        ("select * from read_text('/etc/passwd')", "file system operations are disabled"),
        ("select * from heads", "heads does not exist"),
    ],
)
def test_a_query_that_cannot_be_run_is_explained(query, words):
    app = open_page("sql", query=query)

    assert not app.exception
    assert words in said(app) + "".join(code.value for code in app.code)
    assert link(app)["query"] == query


def test_pictures_are_shown_and_other_bytes_are_counted():
    app = open_page("sql", query="select thumbnail, 'abc'::blob as other from image order by image_id")

    rows = app.dataframe[1].value
    assert rows["thumbnail"].str.startswith("data:image/").all()
    assert set(rows["other"]) == {"3 bytes"}


@pytest.mark.parametrize("kind", ["bars", "lines", "points"])
@pytest.mark.parametrize("color", ["", "first", "layer"])
def test_a_chart_of_the_link_follows_the_schema_of_vega_lite(kind, color):
    app = open_page("sql", query=HEADS, plot=f"{kind}|head|importance|{color}")

    [chart] = app.get("vega_lite_chart")
    alt.Chart.from_dict(json.loads(chart.proto.spec))
    assert said(app) == ""
    assert link(app)["plot"] == f"{kind}|head|importance|{color}"


def test_a_column_that_a_chart_lacks_is_named():
    app = open_page("sql", query=HEADS, plot="bars|zebra|importance|")

    assert "no column zebra" in said(app)
    assert link(app)["plot"] == "bars|first|importance|"


def test_a_query_runs_once_until_it_is_run_again(source, monkeypatch):
    started = []
    begin = sql_data.RunningQuery
    monkeypatch.setattr(sql_data, "RunningQuery", lambda *a: started.append(a[1]) or begin(*a))
    visitor = Visitor("sql", query="select 5 as a")

    visitor.choose("w.table", 0)
    assert started == ["select 5 as a"]

    visitor.click(next(button for button in visitor.buttons() if button.proto.label == "Run"))
    assert started == ["select 5 as a"] * 2


def test_a_stopped_query_gives_back_its_place_and_is_said_to_be_stopped(source):
    endless = "select count(*) from range(10000000) a, range(10000000) b where hash(a.range, b.range) = 1"

    for _ in range(sql_data.AT_ONCE + 1):
        with closing(sql_data.run(source, endless)) as seconds:
            assert next(seconds) >= 0

    assert sql_data.outcome(source, endless) is None
    assert list(sql_data.run(source, "select 1")) is not None
    assert sql_data.outcome(source, "select 1").answer.rows.to_numpy().tolist() == [[1]]


def test_outcomes_do_not_pile_up(source, monkeypatch):
    monkeypatch.setattr(sql_data, "MAX_OUTCOMES", 1)

    for number in (7, 8):
        for _ in sql_data.run(source, f"select {number} as a"):
            pass

    assert sql_data.outcome(source, "select 7 as a") is None
    assert sql_data.outcome(source, "select 8 as a") is not None


def test_a_long_result_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(console_process, "ROWS", 3)

    app = open_page("sql", query="select * from range(4) t(number)")

    assert app.dataframe[1].value["number"].tolist() == [0, 1, 2]
    assert "The first 3 rows: there are more." in words(app)


def test_a_table_is_saved_as_parquet_with_its_types():
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [b"x", None], "d": [1, "x"]})

    saved = pd.read_parquet(io.BytesIO(sections.parquet(frame)))

    assert saved["a"].tolist() == [1, 2] and saved["c"][0] == b"x" and saved["d"].tolist() == ["1", "x"]


def test_a_page_drawn_anew_by_code_sends_its_values_again():
    """A browser that still loads the code of a text area sees only the last run."""
    app = open_page("sql")
    assert not app.run().text_area(key="w.query").proto.set_value

    app.session_state["send_again"] = True
    app.run()

    assert app.text_area(key="w.query").proto.set_value
    assert not app.run().text_area(key="w.query").proto.set_value
