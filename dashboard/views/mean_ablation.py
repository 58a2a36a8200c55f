"""Mean-ablation: what zero-shot classification loses, class by class, when some heads are mean-ablated."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, defaults, provenance, scopes
from dashboard.data import mean_ablation as ablation_data
from dashboard.sections import mean_ablation as ablation_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import MeanAblationView

source = controls.current_source()
st.title("Mean-ablation")
st.markdown(
    "Which classes need which heads: what the model still recognizes when the outputs of heads are replaced "
    "by their means."
)
controls.needs_vectors(source)
view = url.open_view(defaults.default_view(source, MeanAblationView), choices.choices(source))
if not view.attribute:
    url.write_url(view)
    sections.stop_with(ablation_sections.NO_CLASSES)

left, right = st.columns([1, 3], gap="large")
with left:
    attribute = controls.attribute_picker(view.attribute, ablation_data.attribute_titles(source))
    seed = controls.redraw_button(view.seed)
    most = controls.most_picker(view.most, ablation_data.class_count(source, attribute))
with right:
    scope = controls.scope_picker(source, view.heads, ticks=True)
view = url.write_url(view, attribute=attribute, heads=scope, seed=seed, most=most)
sections.stop_with(ablation_data.too_little(source, view.attribute))

with provenance.recorded() as queries, st.spinner("Classifying the images", show_time=True):
    heads = scopes.resolve(source, view.heads)
    found = ablation_data.mean_ablate(source, view.attribute, heads, view.seed)
table = ablation_data.by_class(found)
sections.draw_heads_used(source, view.heads, how="Without")
ablation_sections.headline(found, view.attribute)
ablation_sections.classes(found, table, view.most)
lost = ablation_sections.lost(found, table)
sections.draw_numbers(
    table.drop(columns=["row"]),
    queries,
    file_name="mean_ablation.csv",
    method="An image scores e·t for the text t of each class; the heads take Σ (y - mean)·(Q t) from it. "
    "Right is an image that scores its own class above every other. In float32 from the stored vectors.",
    more={"mean-ablation lost": lost},
)
