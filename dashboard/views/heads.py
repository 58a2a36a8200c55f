"""Heads: every head of one model in a grid, and a finder by label, metric and words."""

import streamlit as st

from dashboard import address, head_tables, offers, shows, shows_heads, widgets, widgets_heads
from dashboard.view_state import HeadsView

source = widgets.current_source()
st.title("Heads")
st.markdown(
    f"Every attention head of {source.info.model} in this bundle, layer by head. Click one to open it."
)
view = address.open_view(offers.default_view(source, HeadsView), offers.choices(source))

color = widgets_heads.color_picker(view.color, offers.color_titles(source))
grid = st.container()
st.subheader("Find heads")
view = address.keep(view, color=color, **widgets_heads.finder(source, view))

with grid:
    shows_heads.grid(source, view.color)
table = head_tables.found(source, view)
shows_heads.found(source, table)
shows.numbers(
    table,
    shows_heads.queries(source, view),
    file_name="heads_found.csv",
    more={"all heads": head_tables.every_number(source)},
)
