"""Head: one attention head, its images along a text, its texts, and the evidence for its label."""

import streamlit as st

from dashboard.controls import heads as head_controls
from dashboard.controls import own_labels
from dashboard.controls import shared as controls
from dashboard.data import heads as head_data
from dashboard.data import provenance
from dashboard.sections import head as head_sections
from dashboard.sections import head_evidence, nearest_heads, picture
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import HeadView, head_name

st.markdown(
    "What one attention head sees: its most and least aligned images, the texts that describe it, and the "
    "evidence for its label."
)
source, view = controls.open_page(HeadView)

large = head_controls.picture(source, view.picture)
head = controls.head_picker(source, view.head, keys=not large)
head_sections.draw_headline(source, head)

st.subheader("Images sorted by a text")
more, image_queries = {}, []
sorts_images = source.has_vectors and len(head_data.texts(source, head)) > 0
if sorts_images:
    chosen = head_controls.images_about(source, head, view)
    images = st.container()
    st.subheader("All images along a text")
    chosen |= head_controls.projection(source, head, view)
    view = url.write_url(view, head=head, picture=large, **chosen)
    with provenance.recorded() as image_queries:
        result = head_data.sorted_images(source, head, view.position, view.k, view.seed)
        with images:
            head_sections.draw_images(source, view, result)
            head_sections.draw_links(source, head, view.position, result)
        bars = head_sections.draw_projection(source, view)
        if view.picture:
            picture.draw_picture(source, view)
    more = {"most aligned": result.most, "least aligned": result.least, "random images": result.random}
    more["images along a text"] = bars
else:
    view = url.write_url(view, head=head)
    st.info(
        head_sections.NO_VARIANCE if source.has_vectors else head_sections.NO_IMAGES, icon=":material/info:"
    )
with provenance.recorded() as queries:
    st.subheader("Its texts")
    table = head_sections.draw_texts(source, head, view.position if sorts_images else None)

    st.subheader("Nearest heads")
    nearest = nearest_heads.draw_nearest(source, head)

    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Properties of its texts")
        head_evidence.draw_profile(source, head)
    with right:
        st.subheader("Attributes it varies with")
        selectivity = head_evidence.draw_selectivity(source, head)

    st.subheader("Evidence for its label")
    head_evidence.draw_labels(source, head)
    head_evidence.draw_judgements(source, head)
    head_evidence.draw_answers(source, head)
    st.subheader("Your own label")
    own_labels.label_form(source, head)
    own_labels.label_list(source)
    st.subheader("Metrics")
    metrics = head_evidence.draw_metrics(source, head)

sections.draw_numbers(
    table,
    [*queries, *image_queries],
    file_name=f"head_{head_name(head)}.csv",
    method="Images are sorted by y·u, for their centered coordinates y in the head and the unit vector u of "
    "the text's coordinates without their part along the texts before it.",
    more=more
    | {"nearest heads": nearest, "metrics": metrics, "selectivity": selectivity}
    | head_data.evidence(source, head),
)
