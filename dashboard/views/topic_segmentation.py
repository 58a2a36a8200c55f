"""Topic segmentation: map of a text over an image, through a set of heads."""

import streamlit as st

from dashboard.controls import maps as map_controls
from dashboard.controls import shared as controls
from dashboard.data import maps, outside, provenance, scopes
from dashboard.sections import maps as map_sections
from dashboard.sections import shared as sections
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
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    result = maps.topic(source, view)
sections.draw_heads_used(source, view.heads)
sections.draw_outside(outside.of_image(source, view.image, scopes.resolve(source, view.heads)))
map_sections.draw_maps(source, result, view)
more = draw_patch(source, view)
map_sections.draw_parts(result.total, "Parts of the score")
map_sections.draw_map_numbers(result, queries, name="topic", more=more)
