"""Does it tell the truth? What the tool says of a model, scored against what is known of its images."""

import streamlit as st

from dashboard import address, offers, scores, shows, shows_truth, widgets
from dashboard.view_state import TruthView

source = widgets.current_source()
st.title("Does it tell the truth?")
st.markdown("What the other pages say, scored wherever the truth is known from the images themselves.")
widgets.needs_vectors(source)
view = address.open_view(offers.default_view(source, TruthView), offers.choices(source))

section = widgets.segmented("section", "What is tested", scores.SECTIONS, view.section)
by = widgets.by_picker(view.by) if section == "neighbors" else view.by
view = address.keep(view, section=section, by=by)
shows.stop_at(scores.missing(source, view.section))

if view.section == "labels":
    found = shows_truth.labels(source)
elif view.section == "heads":
    found = shows_truth.heads(source)
elif view.section == "maps":
    found = shows_truth.maps(source)
elif view.section == "neighbors":
    found = shows_truth.neighbors(source, view.by)
elif view.section == "ablation":
    found = shows_truth.ablation(source)
else:
    found = shows_truth.texts(source)

queries = (
    offers.sql_behind(source, "head_truth", "heads")
    if view.section == "heads"
    else offers.sql_behind(source, "truth_scores", study=scores.STUDIES.get(view.section, view.section))
)
shows.numbers(found, queries, file_name=f"truth_{view.section}.csv")
