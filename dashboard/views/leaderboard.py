"""Leaderboard: every model by every metric with intervals, ranks and controls, and what its layers do."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import choices, defaults, leaderboard_facts, provenance
from dashboard.data import leaderboard as leaderboard_data
from dashboard.sections import leaderboard as leaderboard_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.views import LeaderboardView

LABEL_KINDS = {"offline": "Offline", "chosen": "Chosen"}
COLUMNS = {"main": "Main metrics", "all": "All metrics"}

source = controls.current_source()
st.title("Leaderboard")
st.markdown(
    "How far each model's attention heads can be told apart in words, and what chance alone would give."
)
view = url.open_view(defaults.default_view(source, LeaderboardView), choices.choices(source))

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    label_kind = "offline"
    if leaderboard_data.has_chosen(source):
        label_kind = controls.segmented(
            "label_kind",
            "Labels",
            LABEL_KINDS,
            view.label_kind,
            help="Offline: by variance share, the same for all models. Chosen: what the pages show, a "
            "person's label, else a language model's, else the offline one.",
        )
    metric = controls.metric_picker(view.metric, leaderboard_data.metric_titles(source.bundle, label_kind))
    over = controls.over_picker(view.over)
view = url.write_url(view, metric=metric, over=over, label_kind=label_kind)

leaderboard_sections.draw_metric(source, view)

st.subheader("All metrics")
view = url.write_url(view, columns=controls.segmented("columns", "Columns", COLUMNS, view.columns))
leaderboard_sections.draw_table(source, view)
st.caption(
    "A number, its 95 % interval where there is one, and beside it the range of ranks where models are "
    "ranked. Under each model stand its controls: its twin with random weights, and its own heads, each "
    "turned at random inside its own space. Believe nothing that they show too. Click a row to see "
    "below what that model's layers account for."
)

st.subheader("Against size, patch and training data")
view = url.write_url(
    view, beside=controls.segmented("beside", "Against", leaderboard_facts.BESIDE, view.beside)
)
leaderboard_sections.draw_beside(source, view)

st.subheader(f"What the layers of {source.info.model} account for")
with provenance.recorded() as queries:
    parts = leaderboard_facts.coverage(source)
    found = leaderboard_data.of_view(source, view)
    published = leaderboard_data.published(source)
leaderboard_sections.draw_coverage(source, parts)
st.page_link(
    "views/heads.py",
    label=f"The heads of {source.info.model}, one by one",
    icon=":material/apps:",
    query_params={"bundle": source.name, "model": source.key},
)
leaderboard_sections.draw_published(published)
sections.draw_numbers(
    leaderboard_data.one_metric(found).drop(columns=["under"]),
    queries,
    file_name="one_metric.csv",
    more={
        "every metric": leaderboard_data.every_number(found),
        "coverage by component": parts,
        "coverage by layer": leaderboard_facts.coverage_sums(parts),
    },
)
