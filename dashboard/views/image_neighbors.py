"""Image neighbors: one image, one head, the images nearest to it there."""

import streamlit as st

from dashboard import address, answers, offers, shows, widgets
from dashboard.view_state import ImageNeighborsView, head_name

source = widgets.current_source()
st.title("Image neighbors")
st.markdown("The images that one attention head finds most like yours: nearest first, with their scores.")
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, ImageNeighborsView), offers.choices(source))

image, controls = widgets.image_picker(source, view.image)
with controls:
    head = widgets.head_picker(source, view.head)
    by = widgets.by_picker(view.by)
    k = widgets.k_picker(source, view.k)
view = address.keep(view, image=image, head=head, by=by, k=k)

found = answers.neighbors_of_image(source, view.image, (view.head,), view.by, view.k)
st.subheader(f"Nearest in {head_name(view.head)}")
shows.evidence(source, view.head)
shows.gallery(source, found)
shows.numbers(
    found,
    offers.sql_behind(source, "images_by_id", "heads", image_ids=found["image_id"].tolist()),
    file_name=f"image_neighbors_{head_name(view.head)}.csv",
    method=shows.score_method(view.by, "the head's contributions to the two images"),
)
