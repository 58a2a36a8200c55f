"""Head: one attention head, its texts, images along them, its label with the evidence, and its metrics."""

import streamlit as st

from dashboard.controls import heads as head_controls
from dashboard.controls import shared as controls
from dashboard.data import heads as head_data
from dashboard.data import provenance
from dashboard.sections import head as head_sections
from dashboard.sections import head_evidence
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import HeadView, head_name

st.markdown(
    "The texts that describe one attention head, its most and least aligned images, and the evidence for its "
    "label."
)
source, view = controls.open_page(HeadView)

head = controls.head_picker(source, view.head)
head_sections.draw_headline(source, head)
st.subheader("Its texts")
texts = st.container()

st.subheader("Images sorted by a text")
more, image_queries = {}, []
if source.has_vectors and len(head_data.texts(source, head)):
    view = url.write_url(view, head=head, **head_controls.images_about(source, head, view))
    with provenance.recorded() as image_queries:
        result = head_data.sorted_images(source, head, view.position, view.k, view.seed)
    head_sections.draw_images(source, head, result)
    head_sections.draw_links(source, head, view.position, result)
    more = {"most aligned": result.most, "least aligned": result.least, "random images": result.random}
else:
    view = url.write_url(view, head=head)
    st.info(
        head_sections.NO_VARIANCE if source.has_vectors else head_sections.NO_IMAGES, icon=":material/info:"
    )
with provenance.recorded() as queries:
    with texts:
        table = head_sections.draw_texts(source, head, view.position if source.has_vectors else None)

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
    st.subheader("Metrics")
    metrics = head_evidence.draw_metrics(source, head)

sections.draw_numbers(
    table,
    [*queries, *image_queries],
    file_name=f"head_{head_name(head)}.csv",
    method="Images are sorted by y·u, for their centered coordinates y in the head and the unit vector u of "
    "the text's coordinates without their part along the texts before it.",
    more=more | {"metrics": metrics, "selectivity": selectivity},
)
