"""Text neighbors: the nearest images and texts to one text in one head."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, label_text, neighbors, outside, provenance
from dashboard.sections import gallery
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import TextNeighborsView, head_name

st.markdown("Images and texts nearest to one text in one attention head.")
source, view = controls.open_page(TextNeighborsView)

left, right = st.columns(2, gap="large")
with right:
    head = controls.head_picker(source, view.head)
    by = controls.by_picker(view.by)
with left:
    text = controls.text_picker(source, "Text", view.text, head=head)
    k = controls.k_picker(view.k, choices.max_neighbors(source))
view = url.write_url(view, text=text, head=head, by=by, k=k)
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    images, texts = neighbors.neighbors_of_text(source, view.text, view.head, view.by, view.k)
sections.draw_outside(outside.of_text(source, view.text, view.head))
left, right = st.columns([3, 2], gap="large")
with left:
    st.header(f"Images nearest in {head_name(view.head)}")
    st.caption(literal(label_text.label_evidence(source, view.head)))
    sections.draw_head_links(source, [view.head])
    st.caption("Click an image for its own neighbors.")
    gallery.draw_linked(source, images, view.head, columns=4)
with right:
    st.header(f"Texts nearest in {head_name(view.head)}")
    sections.draw_descriptions(texts)
sections.draw_numbers(
    images,
    queries,
    file_name=f"text_neighbors_{head_name(view.head)}.csv",
    method=sections.score_method(view.by, "the head's contribution to the image and the text"),
    more={"text neighbors texts": texts},
)
