"""Property search: the nearest images to one image through the heads of a property, or other heads."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, neighbors, outside, provenance, scopes
from dashboard.sections import gallery
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import PropertyView

st.markdown("Images most similar to one image in one property, through the heads of that property.")
source, view = controls.open_page(PropertyView)

image, column = controls.image_picker(source, view.image)
with column:
    scope = controls.scope_picker(source, view.heads, ("property", "heads", "layer", "all"))
    by = controls.by_picker(view.by)
    k = controls.k_picker(view.k, choices.max_neighbors(source))
view = url.write_url(view, image=image, heads=scope, by=by, k=k)
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    heads = scopes.resolve(source, view.heads)
    rows = neighbors.neighbors_of_image(source, view.image, heads, view.by, view.k)
st.header("Nearest images")
sections.draw_heads_used(source, view.heads)
sections.draw_outside(outside.of_image(source, view.image, heads))
gallery.draw_queries(source, rows, view)
sections.draw_numbers(
    rows,
    queries,
    file_name="property_search.csv",
    method=sections.score_method(view.by, "the mean contributions of these heads to the two images"),
)
