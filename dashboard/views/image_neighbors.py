"""Image neighbors: the nearest images to one image in one head."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.controls.versus import versus_picker
from dashboard.data import choices, label_text, neighbors, outside, provenance
from dashboard.data import versus as versus_data
from dashboard.sections import shared as sections
from dashboard.sections import versus as versus_sections
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
view = url.write_url(view, versus=versus_picker(source, view))

with provenance.recorded() as queries:
    sides, tables = versus_data.results(
        versus_data.sides(source, view),
        lambda side: neighbors.neighbors_of_image(
            side.source, side.view.image, (side.view.head,), side.view.by, side.view.k
        ),
    )
    for side, rows, place in zip(sides, tables, versus_sections.columns(sides), strict=True):
        with place:
            st.header(versus_sections.of(f"Nearest in {head_name(side.view.head)}", side))
            versus_sections.draw_note(side)
            if rows is None:
                continue
            st.caption(literal(label_text.label_evidence(side.source, side.view.head)))
            sections.draw_head_links(side.source, [side.view.head])
            sections.draw_outside(outside.of_image(side.source, side.view.image, (side.view.head,)))
            st.caption("Click an image to search with it.")
            versus_sections.draw_queries(side, rows, view, tables)
versus_sections.draw_scores(sides, tables, view.by)
sections.draw_numbers(
    tables[0],
    queries,
    file_name=f"image_neighbors_{head_name(view.head)}.csv",
    method=sections.score_method(view.by, "the head's contributions to the two images"),
    more=versus_sections.more(tables),
)
