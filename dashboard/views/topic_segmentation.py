"""Topic segmentation: where some heads read what a text names, drawn over the picture."""

import streamlit as st

from dashboard import address, answers, offers, shows, widgets
from dashboard.view_state import TopicView

source = widgets.current_source()
st.title("Topic segmentation")
st.markdown(
    "Where in the picture the chosen heads read what a text names: each patch's share of the similarity."
)
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, TopicView), offers.choices(source))

image, controls = widgets.image_picker(source, view.image, gallery=True)
with controls:
    scope = widgets.scope_picker(source, view.heads)
    text = widgets.text_picker(source, "Text", view.text, head=next(iter(scope.heads), None))
    looks = widgets.map_controls(view, reference=view.reference)
view = address.keep(view, image=image, text=text, heads=scope, **looks)

found = answers.topic(
    source, view.image, view.text, view.heads, reference=view.reference, control=view.control, seed=view.seed
)
shows.heads_used(source, view.heads)
shows.draw_maps(source, found, view)
shows.draw_parts(found, "The score, taken apart")
shows.map_numbers(source, found, view.heads, name="topic")
