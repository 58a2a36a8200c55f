"""Sections of the leaderboard: one metric, all metrics, metric against a fact, shares of layers."""

from copy import deepcopy
from html import escape
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.charts import theme
from dashboard.data import leaderboard as leaderboard_data
from dashboard.data import leaderboard_facts, leaderboard_notes, leaderboard_specs
from dashboard.data.leaderboard import MODEL, ROTATED, Leaderboard
from dashboard.data.leaderboard_specs import Spec
from dashboard.data.types import Source
from dashboard.sections import shared
from dashboard.sections.shared import clicked_rows
from dashboard.state.markdown import literal
from dashboard.state.url import set_widget
from dashboard.state.views import LeaderboardView

TABLE = "leaderboard.table"
ROW, MAX_ROWS = 35, 20
"""Height of a row of the table, pixels; number of rows before it scrolls."""

DIRECTIONS = {"higher": "Higher is better.", "lower": "Lower is better.", "neither": "Neither end is better."}
INTERVALS = "Error bars: sampling of images and texts (95 %), not training seed."
RANKS = "“Rank 3–4”: could be third or fourth (95 %, all models jointly); overlapping ranks are ties."
READ_FROM = {"primary": "paper", "secondary": "secondary"}


def draw_metric(source: Source, view: LeaderboardView) -> None:
    """One metric over all models, with its definition and the reasons for missing numbers."""
    leaderboard = leaderboard_data.of_view(source, view)
    if removed := leaderboard_notes.removed_controls(leaderboard, view.over):
        st.info(removed, icon=":material/filter_alt:")
    info, lines = leaderboard.metrics[view.metric], leaderboard_data.one_metric(leaderboard)
    title = literal(info.title)
    st.markdown(f"**{title}**: {literal(info.description)} {DIRECTIONS[info.direction]}")
    if lines["value"].isna().all():
        st.info(f"{title} over these heads is not defined for any model of this bundle.")
        return
    chart = leaderboard_specs.metric_spec(source.bundle, view.metric, view.over, view.label_kind)
    models = lines[lines["part"] == MODEL]
    result = shared.ends(models["model"], models["value"])
    draw_spec(chart, f"{info.title} of every model, its controls under it: {result}.")
    st.caption(literal(" ".join(filter(None, notes(leaderboard, lines)))))
    if flat := leaderboard_facts.flat_images(source.bundle):
        st.caption(flat)


def draw_spec(spec: Spec, alt: str) -> None:
    """Draws a cached chart, from a copy: Streamlit removes the data from its argument."""
    st.vega_lite_chart({**deepcopy(spec), "config": theme.CONFIG}, alt=alt)


def notes(leaderboard: Leaderboard, lines: pd.DataFrame) -> list[str]:
    """Returns a sentence on each mark of the chart of one metric, and on each missing number."""
    models = lines[lines["part"] != ROTATED]
    is_flat = leaderboard_data.saturated(leaderboard, leaderboard.metric)
    absent = leaderboard_notes.missing_values(leaderboard, [leaderboard.metric])
    without = leaderboard_notes.no_intervals(leaderboard)
    return [
        "Orange: chance level (randomly rotated heads, gray with their 95 % range)."
        if lines["chance"].notna().any()
        else "No chance level.",
        INTERVALS if models["low"].notna().any() else "",
        f"No interval: {leaderboard_notes.listed(without, models['value'].notna().sum())}."
        if without
        else "",
        "One value lies in all intervals: this metric tells no model or control from another."
        if is_flat
        else "",
        leaderboard_notes.no_rank(leaderboard) or RANKS,
        f"No value: {leaderboard_notes.listed(absent, len(lines))}." if absent else "",
    ]


def draw_table(source: Source, view: LeaderboardView) -> None:
    """All models by all metrics; a click chooses the model."""
    leaderboard = leaderboard_data.of_view(source, view)
    table = leaderboard_data.table(leaderboard, view.columns)
    keys = [line.model_key for line in leaderboard.lines]

    def follow() -> None:
        for row in clicked_rows(st.session_state[TABLE]):
            set_widget("model", keys[row])

    # The row of the chosen model stays marked when the metric moves it.
    chosen = [row for row, key in enumerate(keys) if key == source.key][:1]
    st.session_state[TABLE] = {"selection": {"rows": chosen}}
    links = [heads_link(source, key) for key in keys]
    table.numbers.insert(2, "heads", links)
    table.words.insert(2, "heads", links)
    columns = table_columns(leaderboard, table, view.columns)
    with st.container(key="leaderboard-wide"):
        shared.draw_table(
            worded(table),
            columns,
            "Metrics of every model",
            key=TABLE,
            on_select=follow,
            selection_mode=["single-row", "single-cell"],  # so that a click anywhere in the row counts
            height=ROW * (min(len(keys), MAX_ROWS) + 1) + 3,
            placeholder=leaderboard_data.DASH,
            column_order=list(columns),  # the control is in the words of the model
        )
    with st.container(key="leaderboard-narrow"):
        st.html(narrow_table(leaderboard, table, links))
    metrics = leaderboard_data.shown_metrics(leaderboard, view.columns)
    absent = leaderboard_notes.missing_values(leaderboard, metrics)
    if leaderboard.ranked:
        absent = {"only trained models with an interval have a rank": [], **absent}
    if view.columns == "main" and (saturated := leaderboard_data.left_out(leaderboard)):
        st.caption(
            literal(f"Not among the main metrics: {', '.join(saturated)}.")
            + " One value lies in all of its intervals: it tells no model or control from another.",
            help="The rule: a metric leaves the main columns if one value lies in the 95 % intervals of all "
            "models and random-weights controls, to two decimals. All metrics shows it still.",
        )
    if absent:
        st.caption(literal(f"–: not computed: {leaderboard_notes.listed(absent, len(keys))}."))


def heads_link(source: Source, model_key: str) -> str:
    """Returns the link of the page Heads over one model, relative to the address of the app."""
    return f"heads?{urlencode({'bundle': source.name, 'model': model_key})}"


def narrow_table(leaderboard: Leaderboard, table: leaderboard_data.Table, links: list[str]) -> str:
    """Returns HTML for a phone: a model at a time, a row a metric, a column for it and each control."""

    def title(name: str) -> str:
        return escape(leaderboard_data.MAIN.get(name, leaderboard.metrics[name].title))

    def cell(words: str) -> str:
        value, bracket, interval = words.partition(" [")
        return f"<td>{escape(value)}" + f" <span>[{escape(interval)}</span>" * bool(bracket) + "</td>"

    rank = leaderboard_data.rank_column("")
    metrics = [name for name in table.words.columns[3:] if not name.endswith(rank)]
    place = leaderboard_data.rank_column(leaderboard.metric)
    parts = []
    for _, group in table.words.groupby([line.under for line in leaderboard.lines], sort=False):
        first, names = group.index[0], [words or "model" for words in group["control"]]
        ranked = f" rank {group.at[first, place]}" if place in group and group.at[first, place] else ""
        link = f'<a href="{escape(links[first])}" target="_self">{escape(group.at[first, "model"])}</a>'
        head = "".join(f"<th>{escape(name)}</th>" for name in ["", *names])
        rows = "".join(
            f"<tr><th>{title(name)}</th>{''.join(map(cell, group[name]))}</tr>" for name in metrics
        )
        parts.append(f"<h3>{link}<small>{ranked}</small></h3><table><tr>{head}</tr>{rows}</table>")
    return f'<div class="leaderboard">{"".join(parts)}</div>'


def worded(table: leaderboard_data.Table) -> Styler:
    """Returns the numbers, which sort the table, each shown as its text; controls below their model."""
    style = table.numbers.style
    named = table.words.assign(
        model=[f"↳ {row.control}" if row.control else row.model for row in table.words.itertuples()]
    )
    columns = [name for name in table.words if name not in ("control", "heads")]
    for row, words in zip(table.numbers.index, named[columns].to_dict("records"), strict=True):
        texts = {name: (lambda _, word=words[name]: word) for name in columns}
        style = style.format(texts, subset=pd.IndexSlice[[row], columns])
    return style


def table_columns(leaderboard: Leaderboard, table: leaderboard_data.Table, which: str) -> dict[str, Any]:
    """Returns the columns of the table; `which` is main, of short titles that fit a page, or all."""
    column = st.column_config
    columns = {
        "model": column.TextColumn("model, its controls below it", pinned=True, width=250),
        "heads": column.LinkColumn(
            "heads", display_text="open", width=55, help="Open the heads of the model"
        ),
    }
    for name in table.numbers.columns[3:]:
        metric = name.removesuffix(leaderboard_data.rank_column(""))
        info = leaderboard.metrics[metric]
        title = literal(info.title)
        if name != metric:
            columns[name] = column.NumberColumn(
                "rank", width=55, help=f"Range of ranks by {title}, among the trained models"
            )
            continue
        help = f"**{title}**: {literal(info.description)} {DIRECTIONS[info.direction]}"
        shown = leaderboard_data.MAIN.get(metric, info.title) if which == "main" else info.title
        columns[name] = column.NumberColumn(shown, width=title_width(shown), help=help)
    return columns


def title_width(title: str) -> int:
    """Returns the width of a column that shows its whole title and a number with its interval, pixels."""
    return max(122, round(6.4 * len(title)) + 20)


def draw_beside(source: Source, view: LeaderboardView) -> None:
    """The metric against a fact of the models: every model by its name, controls in gray."""
    leaderboard = leaderboard_data.of_view(source, view)
    points, left_out = leaderboard_facts.beside(leaderboard, view.beside)
    fact = leaderboard_facts.BESIDE[view.beside].lower()
    info = leaderboard.metrics[view.metric]
    if points.empty:
        st.info(f"No model of this bundle has both {literal(info.title)} and {fact} on record.")
        return
    chart = leaderboard_specs.scatter_spec(
        source.bundle, view.metric, view.over, view.label_kind, view.beside
    )
    at = points["model"] + " at " + points["x"].astype(str)
    draw_spec(chart, f"{info.title} against {fact}, a point a model: {shared.ends(at, points['value'])}.")
    models = int((points["part"] == MODEL).sum())
    lines = "Lines: 95 % measurement intervals." if points["low"].notna().any() else "No intervals."
    missing = literal(f" Not on record for {', '.join(left_out)}.") if left_out else ""
    st.caption(
        f"{comparison_note(models)} {lines}{missing}",
        help="Points with equal x are spread sideways, each model above its controls.",
    )


def comparison_note(models: int) -> str:
    """Returns a caution on the comparison of a number of trained models."""
    if models < 2:
        return f"{models or 'No'} trained model: nothing to compare."
    return f"Descriptive only: the {models} trained models may differ in several ways at once."


def draw_coverage(source: Source, parts: pd.DataFrame) -> None:
    """Share of every layer of the chosen model."""
    if parts.empty and source.has_vectors:
        st.info("All images have the same embedding: its variance has no shares.", icon=":material/info:")
        return
    if parts.empty:
        st.info(
            f"The results of {literal(source.info.model)} were imported without vectors: the shares of its "
            "layers are unknown.",
            icon=":material/info:",
        )
        return
    layers = leaderboard_facts.coverage_sums(parts)
    result = shared.ends(layers.iloc[:, 0], layers.iloc[:, -1])
    draw_spec(leaderboard_specs.coverage_spec(source), f"Share of every layer in per cent: {result}.")
    st.caption(
        f"All layers: {leaderboard_facts.coverage_words(parts)}; the sum is 100 %. Hover over a head for its "
        "share.",
        help="A negative share works against the rest and is drawn left of zero. Share: covariance of a "
        "component with the embedding, over the variance of the embedding.",
    )


def draw_published(figures: pd.DataFrame) -> None:
    """Figures of papers, apart from the metrics above: most definitions are unknown."""
    if figures.empty:
        return
    st.header("Published figures")
    st.caption(
        "Quoted from papers, not computed here. Read the caveats before you compare them with those above."
    )
    column = st.column_config
    columns = {
        "model": column.TextColumn("model", width=235),
        "metric": column.TextColumn("name in the paper", width=165),
        "value": column.NumberColumn("figure", format="%.3g", width=70),
        "definition_known": column.TextColumn("definition", width=100),
        "read_from": column.TextColumn("source", width=95),
        "note": column.TextColumn("caveats", width="large"),
        "source": "address",
    }
    definition = figures["definition_known"].map({True: "published", False: "unknown"})
    shown = figures.assign(definition_known=definition, read_from=figures["read_from"].map(READ_FROM))
    order = list(columns)
    shared.draw_table(shown, columns, "Figures that papers print", column_order=order, placeholder="")
