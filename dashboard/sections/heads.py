"""Sections of the page Heads: the grid of heads and the result of the filters. A click opens a head."""

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.charts import heads as head_charts
from dashboard.charts import maps as map_charts
from dashboard.data import cached, choices, column_words, defaults, label_text
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.head_links import clicked_rows
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.markdown import literal
from dashboard.state.url import leave_for
from dashboard.state.views import Head, HeadsView, HeadView, head_name


def draw_grid(source: Source, view: HeadsView, passing: pd.DataFrame) -> None:
    """Layer by head, dim if the filters leave a head out; a click on a cell opens the page of that head."""
    color = view.color
    frame = head_data.cells(source, color, passing)
    if color == "label":
        chart, alt = map_charts.head_grid(frame), labels_in_words(frame)
        null = label_text.tested_against(source)
        note = (
            "Pale with ~: weak support, other evidence speaks against the label. Gray with ?: unsupported, "
            f"not better than labels of {null}, or fewer than two texts carry it."
        )
    else:
        measure = head_data.measure(source, color)
        # Selectivity is corrected for chance: a negative value is chance, not a sign.
        signed = False if color.startswith(choices.SELECTIVITY) else None
        chart = head_charts.value_grid(frame, title=measure.title, unit=measure.unit, signed=signed)
        title, description = literal(measure.title), literal(measure.description)
        note = f"**{title}**: {description} ~: weak label, ?: unsupported."
        alt = f"{measure.title} of heads, layer by head: {ends(frame['name'], frame['value'])}."
    chart = head_charts.clickable(head_charts.framed(chart, view.head))
    framed = label_text.cell_label(label_text.head_row(source, view.head))
    alt = f"{alt} Framed: {head_name(view.head)}, {framed}."
    event = draw_chart(chart, key="heads.grid", on_select="rerun", alt=alt)
    st.caption(f"Hover for the evidence, click to open the head. {note}")
    cell = next(iter(event["selection"].get(head_charts.CLICK) or []), None)
    if cell:
        open_head(source, (int(cell["layer"]), int(cell["head"])))


def labels_in_words(frame: pd.DataFrame) -> str:
    """Returns the labels of the grid in a sentence, for screen readers."""
    counts = frame["label"].fillna("no label").value_counts()
    return "Labels of heads, layer by head: " + ", ".join(f"{name} {n}" for name, n in counts.items()) + "."


def draw_heads(source: Source, table: pd.DataFrame) -> None:
    """The heads that pass the filters; a click on a row opens the page of that head."""
    count = len(cached.heads(source))
    if table.empty:
        st.info("No head passes all of these filters. Widen one of them.", icon=":material/filter_alt_off:")
        return
    column = st.column_config
    plain = {
        head_links.LINK: head_links.column(width=70),
        "label": column.TextColumn("label", width=110),
        "support": column.TextColumn("support", width=300, help=label_text.GRADES),
        "first_texts": column.TextColumn("first texts", width="large"),
        "matching text": column.TextColumn("matching text", width="medium"),
        "position": column.NumberColumn("pick", width=50, help="Place of the matching text, from 1"),
    }
    last = ("layer", "head", "name", "first_texts")
    order = [head_links.LINK, *(name for name in table.columns if name not in last), "first_texts"]
    numbers = [name for name in table.select_dtypes("number") if name not in (*plain, "layer", "head")]
    columns = plain | {name: column.NumberColumn(format="%.3g") for name in numbers}
    columns |= {head_data.interval_title(name): column.TextColumn("95 %", width=120) for name in numbers}
    event = draw_table(
        column_words.from_one(table)
        .drop(columns=["layer", "head"])
        .assign(open=head_links.addresses(source, table["name"])),
        columns,
        "Heads that pass the filters",
        key="heads.found",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],  # so that a click anywhere in the row counts
        placeholder="",
        column_order=order,
    )
    st.caption(f"{len(table)} of {count} heads. Click a row to open the head here, its name for a new tab.")
    st.html(links((source, row.name, row.label) for row in table.itertuples()))
    for row in clicked_rows(event):
        open_head(source, (int(table["layer"].iloc[row]), int(table["head"].iloc[row])))


def links(heads: Iterable[tuple[Source, str, str]]) -> str:
    """Returns HTML: a folded list of links to heads, for the keyboard and screen readers.

    `heads` has the model, the name and words for each head.
    """
    rows = list(heads)
    link = {
        key: defaults.link(source, HeadView) for key, source in {row[0].key: row[0] for row in rows}.items()
    }
    items = []
    for source, name, words in rows:
        address = urlencode(link[source.key] | {"head": name})
        items.append(f'<a href="head?{escape(address)}" target="_self">{escape(f"{name} {words}")}</a>')
    return f"<details><summary>These heads as links</summary>{' · '.join(items)}</details>"


def open_head(source: Source, head: Head) -> None:
    """Opens the page of one head."""
    leave_for("head", defaults.link(source, HeadView, head=head))
