"""Validation: what the tool says of a model, scored against what is known of its images."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, defaults, provenance, validation_scores
from dashboard.sections import shared as sections
from dashboard.sections import validation as validation_sections
from dashboard.state import url
from dashboard.state.views import ValidationView

source = controls.current_source()
st.title("Validation")
st.markdown("Does it tell the truth? What the other pages say, scored against what is known of the images.")
controls.needs_vectors(source)
view = url.open_view(defaults.default_view(source, ValidationView), choices.choices(source))

section = controls.segmented("section", "What is tested", validation_scores.SECTIONS, view.section)
by = controls.by_picker(view.by) if section == "neighbors" else view.by
view = url.write_url(view, section=section, by=by)
sections.stop_with(validation_scores.missing(source, view.section))

with provenance.recorded() as queries:
    if view.section == "labels":
        found = validation_sections.labels(source)
    elif view.section == "heads":
        found = validation_sections.heads(source)
    elif view.section == "maps":
        found = validation_sections.maps(source)
    elif view.section == "neighbors":
        found = validation_sections.neighbors(source, view.by)
    elif view.section == "mean_ablation":
        found = validation_sections.mean_ablation(source)
    else:
        found = validation_sections.texts(source)
sections.draw_numbers(found, queries, file_name=f"validation_{view.section}.csv")
