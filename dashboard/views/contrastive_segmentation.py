"""Contrastive segmentation: where an image is more of one text than of another, and the heads that decide."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, defaults, provenance
from dashboard.data import maps as map_data
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import ContrastView

source = controls.current_source()
st.title("Contrastive segmentation")
st.markdown("Where the picture is more of text A than of text B, and which heads decide between the two.")
controls.needs_vectors(source)
view = url.open_view(defaults.default_view(source, ContrastView), choices.choices(source))

image, column = controls.image_picker(source, view.image, gallery=True)
with column:
    a = controls.text_picker(source, "Text A", view.text)
    b = controls.text_picker(source, "Text B", view.against, name="against")
    scope = controls.scope_picker(source, view.heads)
    looks = controls.map_controls(view)
view = url.write_url(view, image=image, text=a, against=b, heads=scope, **looks)
if a == b:
    st.info("A and B are the same text, so nothing decides between them. Change one.", icon=":material/edit:")

with provenance.recorded() as queries:
    found = map_data.contrast(
        source, view.image, view.text, view.against, view.heads, control=view.control, seed=view.seed
    )
    table = map_data.why_table(source, view.image, view.text, view.against)
sections.draw_heads_used(source, view.heads)
sections.draw_maps(source, found, view)
sections.draw_parts(found, "The score difference, taken apart", which=2)

st.subheader("Why A rather than B")
st.markdown(
    "What each head adds to the difference beyond what it gives the average image. All stored heads take "
    "part here, whichever the maps show."
)
sections.draw_why(table)
sections.draw_map_numbers(found, queries, name="contrast", heads=table)
