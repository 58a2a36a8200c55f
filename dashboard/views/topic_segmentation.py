"""Topic segmentation: map of a text over an image, through a set of heads."""

import streamlit as st

from dashboard.controls import maps as map_controls
from dashboard.controls import shared as controls
from dashboard.data import maps, outside, provenance, scopes
from dashboard.sections import maps as map_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import TopicView

st.markdown(
    "Heatmap: how much each patch of an image adds to the similarity with a text, through some heads."
)
source, view = controls.open_page(TopicView)

image, column = controls.image_picker(source, view.image, gallery=True, picture=False)
with column:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        with st.container():
            scope = controls.scope_picker(source, view.heads)
        options = map_controls.map_controls(source, view, scope, reference=view.reference)
    text = controls.text_picker(source, "Text", view.text, head=next(iter(scope.heads), None))
view = url.write_url(view, image=image, text=text, heads=scope, **options)
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    result = maps.topic(source, view)
sections.draw_heads_used(source, view.heads)
sections.draw_outside(outside.of_image(source, view.image, scopes.resolve(source, view.heads)))
map_sections.draw_maps(source, result, view)
map_sections.draw_parts(result.panels[0], "Parts of the score")
map_sections.draw_map_numbers(result, queries, name="topic")
