"""Section of the page Head: the heads most alike to it, in this and in the other models."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard.data import cached, defaults
from dashboard.data import heads as head_data
from dashboard.data import nearest_heads as nearest_data
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.heads import links
from dashboard.sections.shared import draw_table
from dashboard.state.versus import Versus
from dashboard.state.views import CompareView, Head, TextNeighborsView


def draw_nearest(source: Source, head: Head) -> pd.DataFrame:
    """The nearest heads as a table; links open one, and compare both."""
    table = nearest_data.nearest(source, head)
    if table.empty:
        st.caption("No other head can be compared: this needs vectors.")
        return table
    sources = {key: cached.source(source.bundle, source.name, key) for key in table["model_key"].unique()}
    column = st.column_config
    columns = {
        head_links.LINK: head_links.column(width=70),
        "cka": column.ProgressColumn("CKA", format="%.2f", min_value=0.0, max_value=1.0, width=120),
        "shown": column.TextColumn("label", width=150),
        "model": column.TextColumn("model", width=240),
        "control_cka": column.NumberColumn(
            "control", format="%.2f", width=70, help="Largest CKA with a head of that model's random weights"
        ),
        "compare": column.LinkColumn("both", display_text="compare", width=80, alignment="left"),
    }
    linked = table.assign(
        open=head_links.of_models(sources, table),
        model=table["model"].mask(table["model_key"] == source.key, "this model"),
        compare=[comparison(source, head, row.model_key, row.name) for row in table.itertuples(index=False)],
    )
    # Rows open nothing: a chosen row would open this same page again and again. Names are links.
    draw_table(
        linked,
        columns,
        "Heads most alike, those of this model first",
        placeholder="",
        column_order=[name for name in columns if linked[name].notna().any()],
    )
    st.caption(
        "CKA: 1 for equal outputs on the same images up to rotation and scale, 0 for independent ones. Of "
        "another model: its matched head.",
        help="The nearest heads of this model are measured on up to 500 images; heads of two models are "
        "matched one to one when the bundle is made, on up to 2,000. A match means little if the control "
        "comes near.",
    )
    st.html(
        links((sources[row.model_key], row.name, f"{row.shown}, {row.model}") for row in linked.itertuples())
    )
    return table


def comparison(source: Source, head: Head, key: str, name: str) -> str:
    """Returns the address of both heads side by side: Compare, or of one model the neighbors of a text."""
    if key != source.key:
        return (
            f"compare?{urlencode(defaults.link(source, CompareView, other=key, pairing='best', head=head))}"
        )
    options = {"head": head, "versus": Versus("head", name)}
    texts = head_data.texts(source, head)["text"]
    options |= {"text": texts.iloc[0]} if len(texts) else {}
    return f"text_neighbors?{urlencode(defaults.link(source, TextNeighborsView, **options))}"
