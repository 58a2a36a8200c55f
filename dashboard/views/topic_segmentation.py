"""Topic segmentation: where some heads read what a text names, drawn over the picture."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, defaults, provenance
from dashboard.data import maps as map_data
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import TopicView

source = controls.current_source()
st.title("Topic segmentation")
st.markdown(
    "Where in the picture the chosen heads read what a text names: each patch's share of the similarity."
)
controls.needs_vectors(source)
view = url.open_view(defaults.default_view(source, TopicView), choices.choices(source))

image, column = controls.image_picker(source, view.image, gallery=True)
with column:
    scope = controls.scope_picker(source, view.heads)
    text = controls.text_picker(source, "Text", view.text, head=next(iter(scope.heads), None))
    looks = controls.map_controls(view, reference=view.reference)
view = url.write_url(view, image=image, text=text, heads=scope, **looks)

with provenance.recorded() as queries:
    found = map_data.topic(
        source,
        view.image,
        view.text,
        view.heads,
        reference=view.reference,
        control=view.control,
        seed=view.seed,
    )
sections.draw_heads_used(source, view.heads)
sections.draw_maps(source, found, view)
sections.draw_parts(found, "The score, taken apart")
sections.draw_map_numbers(found, queries, name="topic")
