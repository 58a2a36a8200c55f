"""Leaderboard: every model by every metric, beside chance and controls, and the labels of one model."""

import streamlit as st

from dashboard import address, answers, charts, data, offers, shows, widgets
from dashboard.view_state import LeaderboardView

source = widgets.current_source()
st.title("Leaderboard")
st.markdown(
    "How far each model's attention heads can be told apart in words, and what chance alone would give."
)
view = address.open_view(offers.default_view(source, LeaderboardView), offers.choices(source))

left, right = st.columns([2, 3], vertical_alignment="bottom")
with left:
    metric = widgets.metric_picker(view.metric, answers.metric_titles(source))
with right:
    over = widgets.over_picker(view.over)
view = address.keep(view, metric=metric, over=over)

one = answers.one_metric(source, view.metric, view.over)
shows.metric_chart(source, view.metric, one)

st.subheader("All metrics")
table = answers.leaderboard_table(source, view.over)
shows.model_table(table)
st.caption(
    "Under each model stand its controls: its twin with random weights, and its rotated heads, which are its "
    "own, each turned at random inside its own space. Believe nothing that they show too. A column named "
    "*chance* is the mean of rotated heads. Click a row to see that model's heads below."
)

st.subheader(f"Heads of {source.info.model}")
st.altair_chart(charts.head_grid(data.heads(source)), alt="Label of every head, layer by head")
st.caption(
    "Each cell is the head's label. Gray, with a question mark: rotated heads do as well at the 5 % level. "
    "Hover for the evidence."
)
shows.published_figures(source)
shows.numbers(
    data.heads(source),
    offers.sql_behind(source, "leaderboard", "rotated_metrics", "metrics", "heads", "published"),
    file_name="heads.csv",
    more={"all metrics": table, "one metric": one},
)
