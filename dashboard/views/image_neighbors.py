"""Image neighbors: the nearest images to one image in one head."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, label_text, neighbors, outside, provenance
from dashboard.sections import gallery
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import ImageNeighborsView, head_name

st.markdown("Images most similar to one image in one attention head, nearest first.")
source, view = controls.open_page(ImageNeighborsView)

image, column = controls.image_picker(source, view.image)
with column:
    head = controls.head_picker(source, view.head)
    by = controls.by_picker(view.by)
    k = controls.k_picker(view.k, choices.max_neighbors(source))
view = url.write_url(view, image=image, head=head, by=by, k=k)

with provenance.recorded() as queries:
    rows = neighbors.neighbors_of_image(source, view.image, (view.head,), view.by, view.k)
    st.header(f"Nearest in {head_name(view.head)}")
    st.caption(literal(label_text.label_evidence(source, view.head)))
    sections.draw_head_links(source, [view.head])
sections.draw_outside(outside.of_image(source, view.image, (view.head,)))
gallery.draw_queries(source, rows, view)
sections.draw_numbers(
    rows,
    queries,
    file_name=f"image_neighbors_{head_name(view.head)}.csv",
    method=sections.score_method(view.by, "the head's contributions to the two images"),
)
