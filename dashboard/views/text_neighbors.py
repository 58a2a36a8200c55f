"""Text neighbors: one text, one head, the images and the descriptions nearest to it there."""

import streamlit as st

from dashboard import address, answers, offers, shows, widgets
from dashboard.view_state import TextNeighborsView, head_name

source = widgets.current_source()
st.title("Text neighbors")
st.markdown("The images, and the descriptions of the pool, that one attention head puts nearest to a text.")
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, TextNeighborsView), offers.choices(source))

left, right = st.columns(2, gap="large")
with right:
    head = widgets.head_picker(source, view.head)
    by = widgets.by_picker(view.by)
with left:
    text = widgets.text_picker(source, "Text", view.text, head=head)
    k = widgets.k_picker(source, view.k)
view = address.keep(view, text=text, head=head, by=by, k=k)

images, texts = answers.neighbors_of_text(source, view.text, view.head, view.by, view.k)
left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader(f"Images nearest in {head_name(view.head)}")
    shows.evidence(source, view.head)
    shows.gallery(source, images, columns=4, query=False)
with right:
    st.subheader("Descriptions nearest")
    shows.descriptions(texts)
shows.numbers(
    images,
    offers.sql_behind(source, "images_by_id", "texts", image_ids=images["image_id"].tolist()),
    file_name=f"text_neighbors_{head_name(view.head)}.csv",
    method=shows.score_method(view.by, "the head's contribution to the image and the text"),
    more={"text neighbors texts": texts},
)
