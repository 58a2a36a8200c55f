"""Property search: the nearest images to one image through the heads of a property, or other heads."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.controls.versus import versus_picker
from dashboard.data import choices, neighbors, outside, provenance, scopes
from dashboard.data import versus as versus_data
from dashboard.sections import shared as sections
from dashboard.sections import versus as versus_sections
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
view = url.write_url(view, versus=versus_picker(source, view))
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    sides, tables = versus_data.results(
        versus_data.sides(source, view),
        lambda side: neighbors.neighbors_of_image(
            side.source, side.view.image, scopes.resolve(side.source, side.view.heads), view.by, view.k
        ),
    )
for side, rows, place in zip(sides, tables, versus_sections.columns(sides), strict=True):
    with place:
        st.header(versus_sections.of("Nearest images", side))
        versus_sections.draw_note(side)
        if rows is None:
            continue
        heads = scopes.resolve(side.source, side.view.heads)
        sections.draw_heads_used(side.source, side.view.heads)
        sections.draw_outside(outside.of_image(side.source, side.view.image, heads))
        st.caption("Click an image to search with it.")
        versus_sections.draw_queries(side, rows, view, tables)
versus_sections.draw_scores(sides, tables, view.by)
sections.draw_numbers(
    tables[0],
    queries,
    file_name="property_search.csv",
    method=sections.score_method(view.by, "the mean contributions of these heads to the two images"),
    more=versus_sections.more(tables),
)
