"""Start: what Headlight is, the labels of one model's heads, the images of one head, and the analyses."""

import streamlit as st

from dashboard.controls import head_steps
from dashboard.controls import shared as controls
from dashboard.data import provenance
from dashboard.data import start as start_data
from dashboard.sections import shared as sections
from dashboard.sections import start as start_sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import StartView

source, view = controls.open_page(StartView)
start_sections.draw_introduction()

st.header(f"What the heads of {literal(source.info.model)} read")
heads = st.container()
st.header("What one head sees")
with st.container(horizontal=True, vertical_alignment="center"):
    head_link = st.container(width="content")
    head = head_steps.random_head(source, view.head)
view = url.write_url(view, head=head)
with provenance.recorded() as queries:
    with heads:
        table = start_sections.draw_heads(source, view.head)
    with head_link:
        start_sections.draw_head_link(source, view.head)
    strip = start_data.strip(source, view.head)
    start_sections.draw_strip(source, view.head, strip)

st.header("Five ways to look")
if source.has_vectors:
    start_sections.draw_cards(source)
else:
    st.info(
        f"The results of {literal(source.info.model)} were imported without vectors, which these analyses "
        "need.",
        icon=":material/info:",
    )
sections.draw_numbers(
    table, queries, file_name="heads.csv", more={"images of the head": strip.images} if strip else {}
)
