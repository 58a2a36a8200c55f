"""Controls of the page SQL: the question, the query, and the columns of a chart."""

from collections.abc import Iterable
from contextlib import closing

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.controls.shared import segmented, select
from dashboard.data import cached
from dashboard.data import sql as sql_data
from dashboard.data.sql import Outcome
from dashboard.data.types import Source
from dashboard.sections.shared import stop_with
from dashboard.state.markdown import cut, literal
from dashboard.state.url import WIDGET, init_widget, set_widget
from dashboard.state.views import MAX_QUERY, Plot, SqlView

OWN = {"": "A query of your own"}
KINDS = {"none": "No chart", "bars": "Bars", "lines": "Lines", "points": "Points"}
STOPPED = "stopped query"
PATIENCE = 0.4
"""Seconds before a page says that a query runs."""


def query_editor(source: Source, value: str) -> str:
    """Returns the query, from a list of questions or typed."""
    key = init_widget("query", value)
    questions = sql_data.filled_questions(source)
    titles = OWN | {name: title for name, (title, _) in questions.items()}
    name = sql_data.question_of(source, st.session_state[key])
    set_widget("question", name)
    queries = {name: sql for name, (_, sql) in questions.items()}
    select("question", "Question", titles, name, on_change=ask, args=(queries,))
    st.text_area(
        "Query",
        key=key,
        height=260,
        max_chars=MAX_QUERY,
        help=f"One select. $model_key is the model in the sidebar. {sql_data.LIMITS}",
    )
    icon = ":material/play_arrow:"
    st.button("Run", type="primary", icon=icon, shortcut="Ctrl+Enter", on_click=run_again, args=(source,))
    return st.session_state[key]


def ask(queries: dict[str, str]) -> None:
    """Shows the query of the chosen question."""
    name = st.session_state[WIDGET + "question"]
    set_widget("query", queries.get(name, ""))
    st.session_state.pop(STOPPED, None)


def run_again(source: Source) -> None:
    st.session_state.pop(STOPPED, None)
    sql_data.forget(source, st.session_state[WIDGET + "query"])


def outcome(source: Source, sql: str) -> Outcome:
    """Returns the outcome of a query, after running it; ends the page if there is none."""
    if not sql.strip():
        stop_with("The query is empty. Choose a question, or type one.", ":material/edit:")
    if st.session_state.get(STOPPED) == sql:
        stop_with("The query was stopped. Run starts it again.", ":material/stop_circle:")
    place = st.empty()
    if sql_data.outcome(source, sql) is None:
        with closing(sql_data.run(source, sql)) as seconds:
            wait(place, seconds, sql)
    place.empty()
    result = sql_data.outcome(source, sql)
    return result or Outcome(None, "other queries took its place. Run it again.")


def wait(place: DeltaGenerator, seconds: Iterable[float], sql: str) -> None:
    """Counts the seconds of a running query, above a button that stops it."""
    line = None
    for second in seconds:
        if second < PATIENCE:
            continue
        if line is None:
            with place.container(horizontal=True, vertical_alignment="center"):
                line = st.empty()
                st.button("Stop", icon=":material/stop:", on_click=stop, args=(sql,))
        line.caption(f"Running for {second:.0f} s", width="content")


def stop(sql: str) -> None:
    st.session_state[STOPPED] = sql


def table_picker(source: Source, value: str) -> str:
    """Returns the table whose columns are shown."""
    names = cached.query(source.bundle, "table_comments")["table_name"]
    return select("table", "Tables of the bundle", {name: name for name in names}, value)


def plot_picker(rows: pd.DataFrame, view: SqlView, *, changed: bool) -> Plot:
    """Returns the chart of a table; `changed` says that the query is not the one of the link."""
    names = sql_data.plot_columns(rows)
    if len(names) < 1 or rows.empty:
        return view.plot if not changed else Plot()
    plot = view.plot
    missing = [name for name in (plot.x, plot.y, plot.color) if name and name not in names]
    if missing and not changed:
        words = ", ".join(map(cut, missing))
        st.warning(literal(f"The table has no column {words} to draw."), icon=":material/link_off:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = segmented("plot.kind", "Chart", KINDS, plot.kind)
        if kind == "none":
            return Plot()
        numbers = [name for name in names if pd.api.types.is_numeric_dtype(rows[name])]
        titles = {name: name for name in names}
        first = next((name for name in names if name not in numbers), names[0])
        x = select(
            "plot.x", "Bars" if kind == "bars" else "Across", titles, plot.x if plot.x in titles else first
        )
        heights = {name: name for name in numbers} if kind == "bars" and numbers else titles
        y = select(
            "plot.y",
            "Length" if kind == "bars" else "Up",
            heights,
            plot.y if plot.y in heights else next(iter(numbers), ""),
        )
        color = select("plot.color", "Color", {"": "One color"} | titles, plot.color)
    return Plot(kind, x, y, color)
