"""The page SQL: tables of the bundle with their columns, and the rows of a query."""

import pandas as pd
import streamlit as st

from dashboard.charts import tables as charts
from dashboard.data import cached, column_words
from dashboard.data import sql as sql_data
from dashboard.data.sql import Outcome
from dashboard.data.types import Source
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import Plot
from db.console import Answer


def draw_columns(source: Source, table: str) -> pd.DataFrame:
    """The meaning of a table and its columns; returns the columns."""
    comments = cached.query(source.bundle, "table_comments").set_index("table_name")["comment"]
    st.caption(literal(comments[table]))
    columns = cached.query(source.bundle, "table_columns")
    rows = columns[columns["table_name"] == table]
    rows = rows.rename(columns={"column_name": "column", "data_type": "type", "comment": "meaning"})
    rows = rows.assign(type=rows["type"].str.lower())
    meaning = st.column_config.TextColumn(width="large")
    sections.draw_table(rows, {"meaning": meaning}, column_order=["column", "type", "meaning"], height=250)
    return rows[["column", "type", "required", "meaning"]]


def draw_problem(outcome: Outcome) -> None:
    """Says why a query cannot be run, as DuckDB writes it, and ends the page."""
    if outcome.problem:
        st.error("The query cannot be run.", icon=":material/error:")
        st.code(outcome.problem, language=None, wrap_lines=True)
        url.end_page()


def draw_rows(source: Source, answer: Answer) -> None:
    """The rows of a query, and links to the heads that they name."""
    count = f"{len(answer.rows):,} row{'s' * (len(answer.rows) != 1)}"
    if answer.cut:
        count = f"The first {count}: there are more."
    rows, pictures = sql_data.with_pictures(answer.rows)
    columns = {name: st.column_config.ImageColumn(width="small") for name in pictures}
    sections.draw_table(
        column_words.marked(rows), columns, alt=f"{count} of the query", row_height=64 if pictures else None
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(count, width="content")
        sections.draw_head_links(source, sql_data.heads_of(source, answer.rows))
    sections.draw_saves(answer.rows, "query")


def draw_plot(rows: pd.DataFrame, plot: Plot) -> None:
    """A chart of the columns that were chosen."""
    if plot == Plot():
        return
    shown = charts.plotted_rows(rows, plot.kind, plot.x)
    words = sections.ends(shown[plot.x], pd.to_numeric(shown[plot.y], errors="coerce"))
    sections.draw_chart(
        charts.plot(shown, plot.kind, plot.x, plot.y, plot.color),
        alt=f"{plot.y} by {plot.x}: {words}",
        width="stretch",
    )
    if len(shown) < len(rows):
        st.caption(f"The first {len(shown):,} of {len(rows):,} rows.")
