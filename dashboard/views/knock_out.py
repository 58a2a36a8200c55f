"""Knock-out: what zero-shot classification loses, class by class, when some heads are held at their means."""

import streamlit as st

from dashboard import address, offers, shows, shows_knock_out, widgets, zero_shot
from dashboard.view_state import KnockOutView

source = widgets.current_source()
st.title("Knock-out")
st.markdown(
    "Which classes need which heads: what the model still recognizes when heads are held at their means."
)
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, KnockOutView), offers.choices(source))
if not view.attribute:
    address.keep(view)
    shows.stop_at(shows_knock_out.NO_CLASSES)

left, right = st.columns([1, 3], gap="large")
with left:
    attribute = widgets.attribute_picker(view.attribute, zero_shot.attribute_titles(source))
    seed = widgets.redraw_button(view.seed)
    most = widgets.most_picker(view.most, zero_shot.class_count(source, attribute))
with right:
    scope = widgets.scope_picker(source, view.heads, ticks=True)
view = address.keep(view, attribute=attribute, heads=scope, seed=seed, most=most)
shows.stop_at(zero_shot.too_little(source, view.attribute))

heads = offers.resolve(source, view.heads)
with st.spinner("Classifying the images", show_time=True):
    found = zero_shot.knocked_out(source, view.attribute, heads, view.seed)
table = zero_shot.by_class(found)
shows.heads_used(source, view.heads, how="Without")
shows_knock_out.headline(found, view.attribute)
shows_knock_out.classes(found, table, view.most)
lost = shows_knock_out.lost(found, table)
shows.numbers(
    table.drop(columns=["row"]),
    offers.sql_behind_scope(source, view.heads)
    | offers.sql_behind(source, "class_texts", "image_attributes", "heads"),
    file_name="knock_out.csv",
    method="An image scores e·t for the text t of each class; the heads take Σ (y - mean)·(Q t) from it. "
    "Right is an image that scores its own class above every other. In float32 from the stored vectors.",
    more={"knock out lost": lost},
)
