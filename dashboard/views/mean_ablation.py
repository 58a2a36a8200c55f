"""Mean-ablation: zero-shot accuracy class by class with and without some heads."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.controls.mean_ablation import most_picker
from dashboard.controls.versus import versus_picker
from dashboard.data import mean_ablation as ablation_data
from dashboard.data import provenance, scopes
from dashboard.data import versus as versus_data
from dashboard.sections import mean_ablation as ablation_sections
from dashboard.sections import shared as sections
from dashboard.sections import versus as versus_sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import MeanAblationView

st.markdown("What the model still recognizes when heads are mean-ablated: replaced by their mean output.")
source, view = controls.open_page(MeanAblationView)
if not view.attribute:
    url.write_url(view)
    sections.stop_with(ablation_sections.NO_CLASSES)

left, right = st.columns([1, 3], gap="large")
with left:
    attribute = controls.select(
        "attribute", "Classes", ablation_data.attribute_titles(source), view.attribute
    )
    seed = controls.redraw_button(view.seed)
    most = most_picker(view.most, ablation_data.class_count(source, attribute))
with right:
    scope = controls.scope_picker(source, view.heads, ticks=True)
view = url.write_url(view, attribute=attribute, heads=scope, seed=seed, most=most)
view = url.write_url(view, versus=versus_picker(source, view))
controls.stop_if_empty(source, view)
sections.stop_with(literal(ablation_data.too_little(source, view.attribute)))

with provenance.recorded() as queries, st.spinner("Classifying the images", show_time=True):
    sides, results = versus_data.results(
        versus_data.sides(source, view),
        lambda side: ablation_data.mean_ablate(
            side.source, view.attribute, scopes.resolve(side.source, side.view.heads), view.seed
        ),
    )
tables = [result and ablation_data.by_class(result) for result in results]
lost = []
for place, side, result, table in zip(versus_sections.columns(sides), sides, results, tables, strict=True):
    with place:
        if side.name:
            st.header(literal(f"Without {side.name}" if view.versus.kind == "heads" else side.name))
        versus_sections.draw_note(side)
        if result is None or table is None:
            continue
        first = table is tables[0]
        table = ablation_data.in_order(table, tables[0])
        sections.draw_heads_used(side.source, side.view.heads, how="Without")
        ablation_sections.headline(result, view.attribute)
        ablation_sections.classes(result, table, view.most, side, first=first)
        lost.append(ablation_sections.lost(result, table, side))
sections.draw_numbers(
    tables[0].drop(columns=["row"]),
    queries,
    file_name="mean_ablation.csv",
    method="An image scores e·t for the text t of each class; mean-ablation subtracts Σ (y - mean)·(Q t). An "
    "image is right if its class scores highest. In float32 from the stored vectors.",
    more={"mean-ablation lost": lost[0]}
    | versus_sections.more(tables)
    | versus_sections.more(lost, "lost on the other side"),
)
