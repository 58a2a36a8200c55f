"""Leaderboard: every model by every metric with intervals, ranks and controls, and shares of its layers."""

import streamlit as st

from dashboard.controls import shared as controls
from dashboard.data import cached, leaderboard_facts, provenance
from dashboard.data import leaderboard as leaderboard_data
from dashboard.sections import leaderboard as leaderboard_sections
from dashboard.sections import shared as sections
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import LeaderboardView

LABEL_KINDS = {"offline": "Offline", "chosen": "Chosen"}
COLUMNS = {"main": "Main metrics", "all": "All metrics"}

st.markdown("How interpretable each model's attention heads are, compared with chance.")
source, view = controls.open_page(LeaderboardView)

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    label_kind = "offline"
    if leaderboard_data.has_chosen(source):
        label_kind = controls.segmented(
            "label_kind",
            "Labels",
            LABEL_KINDS,
            view.label_kind,
            help="Offline: by variance share, the same for all models. Chosen: a person's label, else a "
            "language model's, else the offline label; the pages show these.",
        )
    titles = leaderboard_data.metric_titles(source.bundle, label_kind)
    metric = controls.select("metric", "Metric", titles, view.metric)
    help = (
        "Papers use all heads. A supported label is better than chance (q <= 0.05), and two texts carry it."
    )
    over = controls.segmented("over", "Heads counted", controls.OVER, view.over, help)
view = url.write_url(view, metric=metric, over=over, label_kind=label_kind)

leaderboard_sections.draw_metric(source, view)

st.header("All metrics")
view = url.write_url(view, columns=controls.segmented("columns", "Columns", COLUMNS, view.columns))
leaderboard_sections.draw_table(source, view)
st.caption(
    "Value, 95 % interval and range of ranks. If a control scores as high, the score is not evidence. Click "
    "a row to choose its model.",
    help="Controls: the same architecture with random weights, and the model's own heads, each rotated at "
    "random within its space.",
)

st.header("Against size, patch and training data")
view = url.write_url(
    view, beside=controls.segmented("beside", "Against", leaderboard_facts.BESIDE, view.beside)
)
leaderboard_sections.draw_beside(source, view)

st.header("How much each layer contributes to the image embedding")
with provenance.recorded() as queries:
    parts = leaderboard_facts.coverage(source)
    leaderboard = leaderboard_data.of_view(source, view)
    published = cached.query(source.bundle, "published")
leaderboard_sections.draw_coverage(source, parts)
st.page_link(
    "views/heads.py",
    label=f"Heads of {literal(source.info.model)}",
    icon=":material/apps:",
    query_params={"bundle": source.name, "model": source.key},
)
leaderboard_sections.draw_published(published)
sections.draw_numbers(
    leaderboard_data.one_metric(leaderboard).drop(columns=["under"]),
    queries,
    file_name="one_metric.csv",
    more={
        "every metric": leaderboard_data.every_number(leaderboard),
        "coverage by component": parts,
        "coverage by layer": leaderboard_facts.coverage_sums(parts),
        "published figures": published,
    },
)
