"""Heads: every head of one model in a grid, and filters by label, metric and words."""

import streamlit as st

from dashboard.controls import head_steps
from dashboard.controls import heads as head_controls
from dashboard.controls import shared as controls
from dashboard.data import choices, provenance
from dashboard.data import heads as head_data
from dashboard.sections import heads as heads_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import HeadsView

source, view = controls.open_page(HeadsView)
model = literal(source.info.model)
st.markdown(
    f"Compare the attention heads of {model}, layer by head. Click one to open it, or move the frame by the "
    "arrow keys with Shift."
)

color = controls.select("color", "Color the heads by", choices.color_titles(source), view.color, width=420)
grid = st.container()
head, opened = head_steps.grid_mover(source, view.head)
st.header("Find heads")
view = url.write_url(view, head=head, color=color, **head_controls.finder(source, view))
if opened:
    heads_sections.open_head(source, head)

with provenance.recorded() as queries:
    table = head_data.find_heads(source, view)
    every_number = head_data.every_number(source)
with grid:
    heads_sections.draw_grid(source, view, table)
heads_sections.draw_heads(source, table)
sections.draw_numbers(table, queries, file_name="heads_found.csv", more={"all heads": every_number})
