"""Validation: labels, maps, neighbors and mean-ablation, scored against the attributes of the images."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import provenance, validation_scores
from dashboard.sections import shared as sections
from dashboard.sections import validation as validation_sections
from dashboard.state import url
from dashboard.state.views import ValidationView

st.markdown("Check the results of the other pages against the known attributes of the images.")
source, view = controls.open_page(ValidationView)

section = controls.segmented("section", "Test", validation_scores.SECTIONS, view.section)
by = controls.by_picker(view.by) if section == "neighbors" else view.by
view = url.write_url(view, section=section, by=by)
sections.stop_with(validation_scores.missing(source, view.section))

draw: dict[str, Callable[..., pd.DataFrame]] = {
    "labels": validation_sections.labels,
    "heads": validation_sections.heads,
    "maps": validation_sections.maps,
    "neighbors": partial(validation_sections.neighbors, by=view.by),
    "mean_ablation": validation_sections.mean_ablation,
    "texts": validation_sections.texts,
}
with provenance.recorded() as queries:
    table = draw[view.section](source)
    more = {"best heads": validation_scores.nearest(source)} if view.section == "neighbors" else {}
sections.draw_numbers(table, queries, file_name=f"validation_{view.section}.csv", more=more)
