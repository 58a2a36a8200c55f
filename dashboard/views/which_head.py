"""Which head reads this: heads of all models ranked by a text, an image, both, or the texts of a concept."""

import streamlit as st

from dashboard.controls import reads as read_controls
from dashboard.controls import shared as controls
from dashboard.data import provenance, reads
from dashboard.sections import reads as read_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import ReadsView

st.markdown("Heads of all models ranked by how much they read a text, an image, or a list of texts.")
source, view = controls.open_page(ReadsView)
view = url.write_url(view, **read_controls.query(source, view))
read_controls.stop_if_unreadable(source, view)

with provenance.recorded() as queries:
    ranking = reads.rank(source, view)
sections.stop_with(reads.NONE * ranking.heads.empty)
sections.draw_outside(reads.outside(source, view, ranking.heads))
for reason in ranking.left_out:
    st.caption(literal(f"Not ranked: {reason}"))
read_sections.draw_strips(source, view, ranking.heads)
read_sections.draw_first(source, view, ranking.heads)
sections.draw_numbers(
    reads.with_units(view, ranking.heads),
    queries,
    file_name="which_head.csv",
    method=reads.WORDS[view.form].about,
)
