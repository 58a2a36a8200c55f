"""Head: one attention head, its texts, images along them, its label with all evidence, and its numbers."""

import streamlit as st

from dashboard import (
    address,
    head_tables,
    images_along,
    offers,
    shows,
    shows_evidence,
    shows_head,
    widgets,
    widgets_heads,
)
from dashboard.view_state import HeadView

source = widgets.current_source()
st.title("Head")
st.markdown(
    "One attention head: the texts that describe it, the images that move it, and what its label rests on."
)
view = address.open_view(offers.default_view(source, HeadView), offers.choices(source))

head = widgets_heads.head_stepper(source, view.head)
shows_head.headline(source, head)
st.subheader("Its texts")
listed = st.container()

st.subheader("Images along a text")
more = {}
if source.has_vectors:
    view = address.keep(view, head=head, **widgets_heads.images_about(source, head, view))
    found = images_along.sorted_images(source, head, view.position, view.k, view.seed)
    shows_head.images(source, found)
    shows_head.links(source, head, view.position, found)
    more = {"most aligned": found.most, "least aligned": found.least, "random images": found.random}
else:
    view = address.keep(view, head=head)
    st.info(shows_head.NO_IMAGES, icon=":material/info:")
with listed:
    table = shows_head.texts(source, head, view.position if source.has_vectors else None)

left, right = st.columns(2, gap="large")
with left:
    st.subheader("What its texts are about")
    shows_evidence.profile(source, head)
with right:
    st.subheader("What it varies with")
    selective = shows_evidence.selectivity(source, head)

st.subheader("What its label rests on")
shows_evidence.labels(source, head)
shows_evidence.judged(source, head)
shows_evidence.answers(source, head)
st.subheader("Metrics")
metrics = shows_evidence.metrics(source, head)

shows.numbers(
    table,
    shows_head.queries(source, head),
    file_name=head_tables.csv_name(head),
    method="Images are sorted by y·u for their centered coordinates y in the head and the unit vector u of "
    "the text: its coordinates less their part along all texts before it.",
    more=more | {"metrics": metrics, "selectivity": selective},
)
