"""Compare: the heads of two models, paired, and what differs between the models."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, provenance
from dashboard.data import compare as compare_data
from dashboard.sections import compare as compare_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import CompareView

source, view = controls.open_page(CompareView)
st.markdown(f"Which heads of {literal(source.info.model)} does another model have too, and what differs?")
others = choices.other_models(source)
if not others:
    view = url.write_url(view)
    sections.stop_with("This bundle has one model. Give `headlight run` two or more to compare them.")

left, right = st.columns([3, 2], vertical_alignment="bottom", gap="medium")
with left:
    other = controls.select("other", "Compare with", others, view.other)
with right:
    pairing = controls.segmented("pairing", "Pair heads by", compare_data.PAIRINGS, view.pairing)
view = url.write_url(view, other=other, pairing=pairing)

with provenance.recorded() as queries:
    pairs = compare_sections.draw_matches(source, view)
pair_queries, attribute_queries, attributes = [], [], pairs
if len(pairs):
    st.header("Two heads side by side")
    view = url.write_url(view, head=controls.head_picker(source, view.head))
    with provenance.recorded() as pair_queries:
        compare_sections.draw_pair(source, view, pairs)
st.header("Metrics of the models")
with provenance.recorded() as model_queries:
    models = compare_sections.draw_models(source, view)
if len(pairs):
    st.header("Labels of paired heads")
    compare_sections.draw_labels(source, view, pairs)
    st.header("Attributes that paired heads vary with")
    with provenance.recorded() as attribute_queries:
        attributes = compare_sections.draw_attributes(source, view)
heads, head_queries = pairs, []
titles = compare_data.metric_titles(source, other)
if len(pairs) and titles:
    st.header("Metrics of paired heads")
    metric = controls.select("head_metric", "Metric", titles, view.head_metric, width=420)
    view = url.write_url(view, head_metric=metric)
    with provenance.recorded() as head_queries:
        heads = compare_sections.draw_heads(source, view)

sections.draw_numbers(
    pairs,
    [*queries, *pair_queries, *model_queries, *attribute_queries, *head_queries],
    file_name="paired_heads.csv",
    method="CKA: debiased linear CKA. Differences: this model minus the other, with paired intervals.",
    more={"differences of models": models, "attributes": attributes, "differences of heads": heads},
)
