"""How the leaderboard is shown: one metric, all, against size and training, and what layers account for."""

from copy import deepcopy
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.data import leaderboard as leaderboard_data
from dashboard.data import leaderboard_facts, leaderboard_notes, leaderboard_specs
from dashboard.data.leaderboard import (
    MODEL,
    ROTATED,
    Leaderboard,
)
from dashboard.data.leaderboard_specs import Spec
from dashboard.data.types import Source
from dashboard.state.url import set_widget
from dashboard.state.views import LeaderboardView

TABLE = "leaderboard.table"
ROW, MAX_ROWS = 35, 20
"""Height of a row of the table, pixels; rows that are shown before it scrolls."""

DIRECTIONS = {
    "higher": "Higher is easier to interpret, so the highest stands first.",
    "lower": "Lower is easier to interpret, so the lowest stands first.",
    "neither": "Neither end is better; the highest stands first.",
}
INTERVALS = (
    "Lines of models: 95 % measurement intervals, what another sample of images and texts would change. They "
    "say nothing of another training run."
)
RANKS = (
    "A range of ranks holds every place that these intervals leave open, all of them together at 95 %: "
    "models whose ranges overlap are not told apart."
)
READ_FROM = {"primary": "the paper itself", "secondary": "somebody who quotes it"}


def draw_metric(source: Source, view: LeaderboardView) -> None:
    """One metric over all models, with what it means, what chance gives, and what is missing."""
    leaderboard = leaderboard_data.of_view(source, view)
    info, one = leaderboard.metrics[view.metric], leaderboard_data.one_metric(leaderboard)
    st.markdown(f"**{info.title}**: {info.description} {DIRECTIONS[info.direction]}")
    if one["value"].isna().all():
        st.info(f"{info.title} over these heads is not defined for any model of this bundle.")
        return
    chart = leaderboard_specs.metric_spec(source.bundle, view.metric, view.over, view.label_kind)
    draw_spec(chart, f"{info.title} of every model, its controls under it")
    st.caption(" ".join(filter(None, reading(leaderboard, one))))


def draw_spec(spec: Spec, alt: str) -> None:
    """Show a chart that is kept: of a copy, for Streamlit takes the data out of what it is given."""
    st.vega_lite_chart(deepcopy(spec), alt=alt)


def reading(leaderboard: Leaderboard, one: pd.DataFrame) -> list[str]:
    """How to read the chart of one metric: a sentence for all that is on it, and for all that is not."""
    models = one[one["part"] != ROTATED]
    bands = one.loc[one["part"] == ROTATED, "low"].notna().any()
    absent = leaderboard_notes.missing_values(leaderboard, [leaderboard.metric])
    without = leaderboard_notes.no_intervals(leaderboard)
    return [
        "Orange ticks: chance, the mean of rotated heads."
        if one["chance"].notna().any()
        else "No chance level.",
        "Lines of rotated heads: 95 % of the rotations." if bands else "",
        INTERVALS if models["low"].notna().any() else "",
        f"No interval: {leaderboard_notes.listed(without, models['value'].notna().sum())}."
        if without
        else "",
        leaderboard_notes.no_rank(leaderboard) or RANKS,
        f"No value: {leaderboard_notes.listed(absent, len(one))}." if absent else "",
    ]


def draw_table(source: Source, view: LeaderboardView) -> None:
    """All models by all metrics; a click chooses the model."""
    leaderboard = leaderboard_data.of_view(source, view)
    table = leaderboard_data.table(leaderboard, view.columns)
    keys = [line.model_key for line in leaderboard.lines]

    def follow() -> None:
        chosen = st.session_state[TABLE]["selection"]
        rows = [*chosen["rows"], *(row for row, _ in chosen["cells"])]
        if rows:
            set_widget("model", keys[rows[-1]])

    # The chosen model's row stays marked, wherever the metric puts it.
    chosen = [row for row, key in enumerate(keys) if key == source.key][:1]
    st.session_state[TABLE] = {"selection": {"rows": chosen}}
    links = [heads_link(source, key) for key in keys]
    table.numbers.insert(2, "heads", links)
    table.words.insert(2, "heads", links)
    st.dataframe(
        worded(table),
        hide_index=True,
        key=TABLE,
        on_select=follow,
        selection_mode=["single-row", "single-cell"],  # so that a click anywhere in the row counts
        height=ROW * (min(len(keys), MAX_ROWS) + 1) + 3,
        placeholder=leaderboard_data.DASH,
        column_config=table_columns(leaderboard, table),
        alt="Metrics of every model",
    )
    absent = leaderboard_notes.missing_values(
        leaderboard, leaderboard_data.shown_metrics(leaderboard, view.columns)
    )
    if leaderboard.ranked:
        absent = {"only a trained model with an interval has a rank": [], **absent}
    if absent:
        st.caption(f"A dash stands where there is no number: {leaderboard_notes.listed(absent, len(keys))}.")


def heads_link(source: Source, model_key: str) -> str:
    """The page Heads over one model; relative, so that it holds wherever the app is served."""
    return f"heads?{urlencode({'bundle': source.name, 'model': model_key})}"


def worded(table: leaderboard_data.Table) -> Styler:
    """The numbers, to be sorted by, each shown in its words."""
    style = table.numbers.style
    columns = [name for name in table.words if name not in ("model", "control", "heads")]
    for row, words in zip(table.numbers.index, table.words[columns].to_dict("records"), strict=True):
        said = {name: (lambda _, word=words[name]: word) for name in columns}
        style = style.format(said, subset=pd.IndexSlice[[row], columns])
    return style


def table_columns(leaderboard: Leaderboard, table: leaderboard_data.Table) -> dict[str, Any]:
    column = st.column_config
    columns = {
        "model": column.TextColumn("model", pinned=True, width=190),
        "control": column.TextColumn("control", pinned=True, width=110),
        "heads": column.LinkColumn(
            "heads", display_text="open", width=55, help="Opens the heads of the model"
        ),
    }
    for name in table.numbers.columns[3:]:
        metric = name.removesuffix(leaderboard_data.rank_column(""))
        info = leaderboard.metrics[metric]
        if name != metric:
            columns[name] = column.NumberColumn(
                "rank", width=55, help=f"Range of ranks by {info.title}, among the trained models"
            )
            continue
        help = f"**{info.title}**: {info.description} {DIRECTIONS[info.direction].partition(',')[0]}."
        columns[name] = column.NumberColumn(info.title, width=title_width(info.title), help=help)
    return columns


def title_width(title: str) -> int:
    """Pixels of a column that holds its title whole, and a number with its interval."""
    return max(135, round(6.4 * len(title)) + 20)


def draw_beside(source: Source, view: LeaderboardView) -> None:
    """The metric against what the models differ in: every model by its name, controls in gray."""
    leaderboard = leaderboard_data.of_view(source, view)
    points, left_out = leaderboard_facts.beside(leaderboard, view.beside)
    what = leaderboard_facts.BESIDE[view.beside].lower()
    info = leaderboard.metrics[view.metric]
    if points.empty:
        st.info(f"No model of this bundle has both {info.title} and {what} on record.")
        return
    chart = leaderboard_specs.scatter_spec(
        source.bundle, view.metric, view.over, view.label_kind, view.beside
    )
    draw_spec(chart, f"{info.title} against {what}, a point a model")
    models = int((points["part"] == MODEL).sum())
    lines = "Lines: 95 % measurement intervals." if points["low"].notna().any() else "No intervals."
    gone = f" Not on record for {', '.join(left_out)}." if left_out else ""
    st.caption(
        f"{beside_words(models)} Models of one place on the axis stand side by side, each with its "
        f"controls. {lines}{gone}"
    )


def beside_words(models: int) -> str:
    """What may be read from so many trained models."""
    if models < 2:
        return f"{models or 'No'} trained model: nothing to compare."
    return (
        f"{models} trained models, which differ in more than this: a description, no regression, and no "
        "evidence of what causes what."
    )


def draw_coverage(source: Source, parts: pd.DataFrame) -> None:
    """What every layer of the chosen model accounts for."""
    if parts.empty:
        st.info(
            f"The results of {source.info.model} were imported without vectors, so what its layers account "
            "for is not known.",
            icon=":material/info:",
        )
        return
    draw_spec(leaderboard_specs.coverage_spec(source), "Coverage by layer, attention and MLP")
    st.caption(
        f"All layers together: {leaderboard_facts.coverage_words(parts)}; the sum is 100 %. The share of a "
        "component is its covariance with the embedding over the embedding's variance, over all images; one "
        "that is negative works against the rest and is drawn left of zero. Each head of a layer that was "
        "taken apart is a piece of its own: hover for its share."
    )


def draw_published(rows: pd.DataFrame) -> None:
    """What papers print, kept apart: mostly under definitions that could not be read."""
    if rows.empty:
        return
    st.subheader("Published figures")
    st.caption("Quoted, not computed here. Do not set them beside the numbers above unless the note says so.")
    column = st.column_config
    st.dataframe(
        in_words(rows),
        hide_index=True,
        column_config={
            "model": column.TextColumn("model", width=235),
            "value": column.NumberColumn("figure", format="%.3g", width=70),
            "metric": column.TextColumn("what the paper calls it", width=165),
            "read_from": column.TextColumn("read in", width=175),
            "definition_known": column.TextColumn("its definition", width=140),
            "note": column.TextColumn("to know before comparing", width="large"),
        },
        column_order=["model", "metric", "value", "definition_known", "read_from", "note", "source"],
        placeholder="",
        alt="Figures that papers print",
    )


def in_words(published: pd.DataFrame) -> pd.DataFrame:
    known = published["definition_known"].map({True: "could be read", False: "could not be read"})
    return published.assign(definition_known=known, read_from=published["read_from"].map(READ_FROM))
