"""SQL: one query over the tables of the bundle, from a list of questions or typed; its rows and a chart."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.controls import sql as sql_controls
from dashboard.data import provenance
from dashboard.sections import shared as sections
from dashboard.sections import sql as sql_sections
from dashboard.state import url
from dashboard.state.views import SqlView

st.markdown("Ask the tables of this bundle. Choose a question, change it, or write your own.")
source, view = controls.open_page(SqlView)

left, right = st.columns([3, 2], gap="large")
with left:
    query = sql_controls.query_editor(source, view.query)
with right, provenance.recorded() as queries:
    table = sql_controls.table_picker(source, view.table)
    columns = sql_sections.draw_columns(source, table)
changed = query != view.query
view = url.write_url(view, query=query, table=table)

outcome = sql_controls.outcome(source, query)
sql_sections.draw_problem(outcome)
if outcome.answer is not None:
    sql_sections.draw_rows(source, outcome.answer)
    plot = sql_controls.plot_picker(outcome.answer.rows, view, changed=changed)
    view = url.write_url(view, plot=plot)
    sql_sections.draw_plot(outcome.answer.rows, plot)
sections.draw_numbers(columns, queries, file_name=f"columns_of_{table}.csv")
