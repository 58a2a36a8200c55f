"""Sections on one patch of an image: the heads and the texts that speak there."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import digits, patches
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.head_links import clicked_rows
from dashboard.sections.heads import links, open_head
from dashboard.sections.shared import draw_descriptions, draw_table
from dashboard.state.markdown import literal
from dashboard.state.views import ContrastView, Head, MapView

HEIGHT = 318
"""Height of the tables, pixels: eight rows and their titles; the others scroll."""


def draw_patch(source: Source, view: MapView) -> dict[str, pd.DataFrame]:
    """Outputs of heads at the chosen patch, and the texts nearest to it; a click on a head opens it.

    Returns the tables by title, none if no patch is chosen.
    """
    if not view.patch:
        return {}
    table, texts = patches.heads(source, view), patches.nearest_texts(source, view)
    chosen = table.loc[table["chosen"], "score"].sum()
    about = "A − B" if isinstance(view, ContrastView) else f"“{view.text}”"
    st.header(f"Patch in {patches.titles(source)[view.patch]}")
    own, every = (digits.number(score, "+.2f") for score in (chosen, table["score"].sum()))
    heads = "1 head" if (count := int(table["chosen"].sum())) == 1 else f"{count} heads"
    st.markdown(
        literal(
            f"Adds {own} to {about} through the {heads} of the maps, {every} through all {len(table)} heads "
            "(x 1000)."
        )
    )
    left, right = st.columns(2, gap="large")
    with left:
        _draw_heads(source, table)
    with right:
        st.markdown("**Texts nearest to what the heads of the maps write here**")
        draw_descriptions(texts)
        here, median = (f"{1000 * length:.0f}" for length in patches.length(source, view))
        st.caption(
            "Score: cosine with the text, less the mean text of the pool. Length of what they write, x 1000: "
            f"{here} here, {median} at the median patch.",
            help="Where heads write little, the nearest texts mean little: compare with other patches.",
        )
    return {"heads of the patch": table, "texts of the patch": texts}


def _draw_heads(source: Source, table: pd.DataFrame) -> None:
    """The heads of a model with their score and size at a patch, the highest score first."""
    st.markdown("**Heads that speak here**")
    column, longest = st.column_config, float(table["size"].max())
    columns: dict[str, Any] = {
        head_links.LINK: head_links.column(width=70),
        "score": column.NumberColumn("score x 1000", format="%.2f", width=100),
        "size": column.ProgressColumn(
            "size x 1000",
            format="%.0f",
            min_value=0.0,
            max_value=longest or 1.0,
            width=110,
            help="Length of what the head writes at this patch, whatever the text",
        ),
        "label": column.TextColumn("label", width=120),
        "map": column.TextColumn("in map", width=60, help="✓: one of the heads of the maps"),
    }
    opened = head_links.addresses(source, table["name"])
    event = draw_table(
        table.assign(**{head_links.LINK: opened, "map": table["chosen"].map({True: "✓", False: ""})}),
        columns,
        "Heads at this patch",
        key="patch.heads",
        on_select="rerun",
        selection_mode=["single-row", "single-cell"],
        placeholder="",
        column_order=list(columns),
        height=HEIGHT,
    )
    st.caption("Click a title to sort by it, a row to open the head.")
    first = pd.concat([table.head(5), table.tail(5)]).drop_duplicates("name")
    st.html(
        links((source, row.name, f"{row.label}, {row.score:+.2f}") for row in first.itertuples(index=False))
    )
    for row in clicked_rows(event):
        open_head(source, _place(table, row))


def _place(table: pd.DataFrame, row: int) -> Head:
    return int(table["layer"].iloc[row]), int(table["head"].iloc[row])
