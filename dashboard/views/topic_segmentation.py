"""Topic segmentation: map of a text over an image, through a set of heads."""

import streamlit as st

from dashboard.controls import maps as map_controls
from dashboard.controls import shared as controls
from dashboard.controls.versus import versus_picker
from dashboard.data import maps, provenance
from dashboard.data import versus as versus_data
from dashboard.sections import map_sides
from dashboard.sections import maps as map_sections
from dashboard.sections.patches import draw_patch
from dashboard.state import url
from dashboard.state.views import TopicView

st.markdown(
    "Heatmap: how much each patch of an image adds to the similarity with a text, through some heads."
)
source, view = controls.open_page(TopicView)

image, column = controls.image_picker(source, view.image, gallery=True, picture=False)
with column:
    scope = controls.scope_picker(source, view.heads)
    text = controls.text_picker(source, "Text", view.text, head=next(iter(scope.heads), None))
options = map_controls.map_controls(source, view, image, scope, reference=view.reference)
view = url.write_url(view, image=image, text=text, heads=scope, **options)
view = url.write_url(view, versus=versus_picker(source, view))
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    sides, results = versus_data.results(
        versus_data.sides(source, view), lambda side: maps.topic(side.source, side.view)
    )
map_sides.draw_sides(sides, results)
more = draw_patch(source, view)
map_sides.draw_parts(sides, results, "Parts of the score")
map_sections.draw_map_numbers(results[0], queries, name="topic", more=more | map_sides.tables(sides, results))
