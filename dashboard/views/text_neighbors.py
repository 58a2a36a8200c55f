"""Text neighbors: the nearest images and texts to one text in one head."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.controls.versus import versus_picker
from dashboard.data import choices, label_text, neighbors, outside, provenance
from dashboard.data import versus as versus_data
from dashboard.sections import shared as sections
from dashboard.sections import versus as versus_sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import TextNeighborsView, head_name

st.markdown("Images and texts nearest to one text in one attention head.")
source, view = controls.open_page(TextNeighborsView)

left, right = st.columns(2, gap="large")
with right:
    head = controls.head_picker(source, view.head)
    by = controls.by_picker(view.by)
with left:
    text = controls.text_picker(source, "Text", view.text, head=head)
    k = controls.k_picker(view.k, choices.max_neighbors(source))
view = url.write_url(view, text=text, head=head, by=by, k=k)
view = url.write_url(view, versus=versus_picker(source, view))
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    sides, found = versus_data.results(
        versus_data.sides(source, view),
        lambda side: neighbors.neighbors_of_text(
            side.source, side.view.text, side.view.head, side.view.by, side.view.k
        ),
    )
images, texts = ([both and both[part] for both in found] for part in (0, 1))
for place, side, near, words in zip(versus_sections.columns(sides), sides, images, texts, strict=True):
    with place:
        name = head_name(side.view.head)
        left, right = st.columns([3, 2], gap="large") if len(sides) == 1 else [st.container()] * 2
        with left:
            st.header(versus_sections.of(f"Images nearest in {name}", side))
            versus_sections.draw_note(side)
            if near is None or words is None:
                continue
            st.caption(literal(label_text.label_evidence(side.source, side.view.head)))
            sections.draw_outside(outside.of_text(side.source, side.view.text, side.view.head))
            sections.draw_head_links(side.source, [side.view.head])
            st.caption("Click an image for its own neighbors.")
            versus_sections.draw_linked(side, near, images)
        with right:
            st.header(versus_sections.of(f"Texts nearest in {name}", side))
            sections.draw_descriptions(words)
versus_sections.draw_scores(sides, images, view.by)
sections.draw_numbers(
    images[0],
    queries,
    file_name=f"text_neighbors_{head_name(view.head)}.csv",
    method=sections.score_method(view.by, "the head's contribution to the image and the text"),
    more={"text neighbors texts": texts[0]}
    | versus_sections.more(images)
    | versus_sections.more(texts, "texts of the other side"),
)
