"""Sections of the page Which head reads this: the heads of every model as dots, and the first as a table."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.analyses.reads import BEYOND
from dashboard.charts import reads as charts
from dashboard.data import cached
from dashboard.data.reads import WORDS, Words
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.head_links import clicked_rows
from dashboard.sections.heads import links, open_head
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.views import ReadsView

SHOWN = 20
"""Heads in the table; all are in the data of the page."""


def draw_strips(source: Source, view: ReadsView, heads: pd.DataFrame) -> None:
    """A row of dots per model; a click opens the head of a dot."""
    words = WORDS[view.form]
    value = "z" if view.order == "z" and words.z else "amount"
    title = words.z if value == "z" else words.title
    chart = charts.model_strips(heads, value=value, title=title, beyond=BEYOND)
    names = heads["model"] + " " + heads["name"]
    alt = f"{title[0].upper()}{title[1:]} of heads by model: {ends(names, heads[value])}."
    event = draw_chart(chart, key="reads.strips", on_select="rerun", alt=alt)
    st.caption("A dot is a head. Hover for its label, click to open it.", help=words.about)
    if dot := next(iter(event["selection"].get(charts.CLICK) or []), None):
        open_head(of_model(source, dot["model_key"]), (int(dot["layer"]), int(dot["head"])))


def draw_first(source: Source, view: ReadsView, heads: pd.DataFrame) -> None:
    """The first heads as a table with bars; a click on a row opens its head."""
    table = heads.head(SHOWN)
    columns = table_columns(WORDS[view.form], heads, view.picks)
    sources = {key: of_model(source, key) for key in table["model_key"].unique()}
    table = table.assign(**{head_links.LINK: head_links.of_models(sources, table)})
    event = draw_table(
        table,
        columns,
        "Heads that read this most",
        key="reads.table",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        placeholder="",
        column_order=[name for name in columns if name in table and table[name].notna().any()],
    )
    st.caption(
        f"The first {len(table)} of {len(heads):,} heads. Click a row to open the head here, its name for a "
        "new tab."
    )
    st.html(
        links((sources[row.model_key], row.name, f"{row.label}, {row.model}") for row in table.itertuples())
    )
    for row in clicked_rows(event):
        head = table.iloc[row]
        open_head(sources[head["model_key"]], (int(head["layer"]), int(head["head"])))


def table_columns(words: Words, heads: pd.DataFrame, picks: int) -> dict[str, Any]:
    """Returns the columns of the table of heads, in order; the amount is a bar."""
    column, form = st.column_config, f"%.{words.decimals}f"
    largest = float(heads["amount"].max()) if len(heads) else 1.0
    bar = column.ProgressColumn(
        words.title, help=words.about, format=form, min_value=0.0, max_value=max(largest, 1e-9), width=270
    )
    return {
        head_links.LINK: head_links.column(width=70),
        "label": column.TextColumn("label", width=130),
        "model": column.TextColumn("model", width=240),
        "amount": bar,
        "z": column.NumberColumn(words.z or "z", format="%.1f", width=150, help=words.about),
        "p": column.NumberColumn("p", format="%.3f", width=70, help=words.about),
        "share": column.NumberColumn(f"first {picks} texts (%)", format="%.1f", width=110),
        "random": column.NumberColumn(f"{picks} random texts (%)", format="%.1f", width=130),
        "first_texts": column.TextColumn("texts chosen first", width="large"),
    }


def of_model(source: Source, model_key: str) -> Source:
    """Returns any model of the same bundle."""
    return cached.source(source.bundle, source.name, model_key)
