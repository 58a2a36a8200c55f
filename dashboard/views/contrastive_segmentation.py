"""Contrastive segmentation: where an image is more of one text than of another, and the heads that decide."""

import streamlit as st

from dashboard import address, answers, offers, shows, widgets
from dashboard.view_state import ContrastView

source = widgets.current_source()
st.title("Contrastive segmentation")
st.markdown("Where the picture is more of text A than of text B, and which heads decide between the two.")
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, ContrastView), offers.choices(source))

image, controls = widgets.image_picker(source, view.image, gallery=True)
with controls:
    a = widgets.text_picker(source, "Text A", view.text)
    b = widgets.text_picker(source, "Text B", view.against, name="against")
    scope = widgets.scope_picker(source, view.heads)
    looks = widgets.map_controls(view)
view = address.keep(view, image=image, text=a, against=b, heads=scope, **looks)
if a == b:
    st.info("A and B are the same text, so nothing decides between them. Change one.", icon=":material/edit:")

found = answers.contrast(
    source, view.image, view.text, view.against, view.heads, control=view.control, seed=view.seed
)
shows.heads_used(source, view.heads)
shows.draw_maps(source, found, view)
shows.draw_parts(found, "The score difference, taken apart", which=2)

st.subheader("Why A rather than B")
st.markdown(
    "What each head adds to the difference beyond what it gives the average image. All stored heads take "
    "part here, whichever the maps show."
)
table = answers.why_table(source, view.image, view.text, view.against)
shows.draw_why(table)
shows.map_numbers(source, found, view.heads, name="contrast", heads=table)
