"""Leaderboard: every model by every metric with intervals, ranks and controls, and what its layers do."""

import streamlit as st

from dashboard import address, board, board_facts, offers, shows, shows_board, widgets
from dashboard.view_state import LeaderboardView

LABEL_KINDS = {"offline": "Offline", "chosen": "Chosen"}
COLUMNS = {"main": "Main metrics", "all": "All metrics"}

source = widgets.current_source()
st.title("Leaderboard")
st.markdown(
    "How far each model's attention heads can be told apart in words, and what chance alone would give."
)
view = address.open_view(offers.default_view(source, LeaderboardView), offers.choices(source))

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    label_kind = "offline"
    if board.has_chosen(source):
        label_kind = widgets.segmented(
            "label_kind",
            "Labels",
            LABEL_KINDS,
            view.label_kind,
            help="Offline: by variance share, the same for all models. Chosen: what the pages show, a "
            "person's label, else a language model's, else the offline one.",
        )
    metric = widgets.metric_picker(view.metric, board.metric_titles(source.bundle, label_kind))
    over = widgets.over_picker(view.over)
view = address.keep(view, metric=metric, over=over, label_kind=label_kind)

shows_board.metric_chart(source, view)

st.subheader("All metrics")
view = address.keep(view, columns=widgets.segmented("columns", "Columns", COLUMNS, view.columns))
shows_board.model_table(source, view)
st.caption(
    "A number, its 95 % interval where there is one, and beside it the range of ranks where models are "
    "ranked. Under each model stand its controls: its twin with random weights, and its own heads, each "
    "turned at random inside its own space. Believe nothing that they show too. Click a row to see "
    "below what that model's layers account for."
)

st.subheader("Against size, patch and training data")
view = address.keep(view, beside=widgets.segmented("beside", "Against", board_facts.BESIDE, view.beside))
shows_board.beside(source, view)

st.subheader(f"What the layers of {source.info.model} account for")
parts = board_facts.coverage(source)
shows_board.coverage(source, parts)
st.page_link(
    "views/heads.py",
    label=f"The heads of {source.info.model}, one by one",
    icon=":material/apps:",
    query_params={"bundle": source.name, "model": source.key},
)
shows_board.published_figures(source)
found = board.of_view(source, view)
shows.numbers(
    board.one_metric(found).drop(columns=["under"]),
    shows_board.queries(source),
    file_name="one_metric.csv",
    more={
        "every metric": board.every_number(found),
        "coverage by component": parts,
        "coverage by layer": board_facts.coverage_sums(parts),
    },
)
