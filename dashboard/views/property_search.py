"""Property search: one image, the heads of a property or any others, the images nearest through them."""

import streamlit as st

from dashboard import address, answers, offers, shows, widgets
from dashboard.view_state import PropertyView

source = widgets.current_source()
st.title("Property search")
st.markdown(
    "The images most like yours in one property, compared through the heads that carry it, or any others."
)
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, PropertyView), offers.choices(source))

image, controls = widgets.image_picker(source, view.image)
with controls:
    scope = widgets.scope_picker(source, view.heads, ("property", "heads", "layer", "all"))
    by = widgets.by_picker(view.by)
    k = widgets.k_picker(source, view.k)
view = address.keep(view, image=image, heads=scope, by=by, k=k)

heads = offers.resolve(source, view.heads)
found = answers.neighbors_of_image(source, view.image, heads, view.by, view.k)
st.subheader("Nearest images")
shows.heads_used(source, view.heads)
shows.gallery(source, found)
shows.numbers(
    found,
    offers.sql_behind_scope(source, view.heads)
    | offers.sql_behind(source, "images_by_id", image_ids=found["image_id"].tolist()),
    file_name="property_search.csv",
    method=shows.score_method(view.by, "the mean contributions of these heads to the two images"),
)
