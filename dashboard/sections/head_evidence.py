"""Sections of the page Head on the evidence for its label: labels, judgements, metrics."""

import pandas as pd
import streamlit as st

from dashboard.charts import heads as head_charts
from dashboard.data import cached, column_words, digits, label_text
from dashboard.data import heads as head_data
from dashboard.data.label_grades import PICKS
from dashboard.data.types import Source
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.markdown import literal
from dashboard.state.views import Head

PERCENT = "%.1f %%"

INTERVAL = "95\u00a0%"
COLUMN_NOTES = {
    "chance": "*chance*: the same head, rotated at random within its space.",
    INTERVAL: "*95 %*: sampling of images and texts, not training seed.",
}
"""Notes on the columns of the table of metrics. The no-break space keeps an interval on one line."""


def draw_labels(source: Source, head: Head) -> None:
    """Every label of the head with its evidence."""
    table = head_data.labels(source, head)
    text, number = st.column_config.TextColumn, st.column_config.NumberColumn
    columns = {
        "method": text(
            "method", help="Offline default: variance share. A person or a language model has priority"
        ),
        "picks": number("texts read", width=80),
        "carrying_picks": number(
            "carry it", width=70, help="Of the texts read; a supported offline label needs two"
        ),
        "share": number(
            "share", format=PERCENT, help="Of the head's variance, by its texts of this property"
        ),
        "lead": number(
            "lead",
            format="%.3f",
            help="The label's score minus that of the next property, each less its mean over the head and "
            "its rotations; p compares it with the leads of the rotations",
        ),
        "tail": number(
            "tail",
            format="%.2g",
            help="Probability of as many texts of the property in a draw from the pool: an index, not a "
            "p-value",
        ),
        "p_value": number("p", format="%.3g", help=f"Against {label_text.tested_against(source)}"),
        "q_value": number("q", format="%.3g", help="p corrected for all heads of the model"),
        "votes": number("votes", format="%.0f %%", help="Of the valid draws"),
        "given_by": "given by",
        "reason": text("why", width=150),
    }
    shown = head_data.as_read(table).assign(method=table["method"].str.replace("_", " "))
    draw_table(shown, columns, "All labels of the head with their evidence", placeholder="")
    st.caption(
        "Supported: q at most 0.05 and two texts that carry it, or most draws agree, or a person gave it. "
        "What speaks against a supported label is in its badge.",
        help="Shown label: human, else language model, else automatic.",
    )


def draw_judgements(source: Source, head: Head) -> None:
    """Judgements of the head's first texts, a column per judge."""
    table = head_data.judgements(source, head)
    if table.empty:
        st.caption("No judgements of this head.")
        return
    judges = [name for name in table.columns if name not in ("label", "position", "text")]
    shown = column_words.from_one(table).assign(
        **{name: table[name].map(head_data.agreement) for name in judges}
    )
    columns = {
        "position": st.column_config.NumberColumn("pick", width=30),
        "text": st.column_config.TextColumn("is this text consistent with the label?", width="large"),
        "tag_match": "tags match",
    }
    draw_table(shown, columns, "Judgements of the head's first texts", placeholder="")
    st.caption(
        "*Tags match* is the automatic rule, not an independent judge. Per cent: share of a judge's draws "
        "that agree."
    )


def draw_answers(source: Source, head: Head) -> None:
    """Full answers of language models, if any."""
    table = cached.of_head(source, "language_model_answers", head)
    if table.empty:
        return
    box = st.expander(
        f"{len(table)} answers of language models", icon=":material/forum:", key="answers", on_change="rerun"
    )
    if box.open:
        with box:
            draw_table(table, {}, "Questions to language models and their answers")


def draw_metrics(source: Source, head: Head) -> pd.DataFrame:
    """Every metric of the head, beside its value for rotated heads."""
    table = head_data.metrics_table(source, head)
    if table.empty:
        st.caption("No metrics of this head.")
        return table
    shown = pd.DataFrame(
        {
            "metric": table["title"].map(literal),
            "value": table["value"].map(lambda value: digits.number(value, ".3g")),
            INTERVAL: table["interval"].str.replace(" ", "\u00a0"),
            "chance": table["chance"].map(
                lambda value: "" if pd.isna(value) else digits.number(value, ".3g")
            ),
            "unit": table["unit"].map(literal),
            "meaning": table["description"].map(literal),
        }
    )
    empty = [name for name in shown if (shown[name] == "").all()]
    st.table(shown.drop(columns=empty), border="horizontal", hide_index=True, alt="Metrics of the head")
    st.caption(" ".join(note for name, note in COLUMN_NOTES.items() if name not in empty))
    return table


def draw_profile(source: Source, head: Head) -> None:
    """Properties of the first texts, beside those of the pool."""
    table = cached.of_head(source, "head_profile", head, picks=PICKS)
    if table.empty:
        st.caption("No text of this head has a property.")
        return
    read = min(PICKS, len(head_data.texts(source, head)))
    result = ends(table["property"], 100 * table["share"])
    chart = head_charts.profile_bars(table, head_data.label(source, head))
    draw_chart(chart, f"Share of the head's first texts by property, per cent: {result}.")
    st.caption(
        f"Compare the bars of its first {read} texts with the orange ticks of the whole pool. Strong blue: "
        "the label.",
        help="A text may have several properties. The ticks show the share in random texts of the pool.",
    )


def draw_selectivity(source: Source, head: Head) -> pd.DataFrame:
    """Selectivity of the head for every attribute of the images."""
    table = head_data.selectivity(source, head)
    if table.empty:
        st.caption("No selectivity: the images of this model have no attributes.")
        return table
    result = ends(table["attribute"], table["value"])
    draw_chart(head_charts.selectivity_dots(table), f"Selectivity of the head by attribute: {result}.")
    st.caption(
        "Compare with the random-weights control: heads of untrained models are selective too.",
        help="Share of the head's variance that an attribute explains; 0 is chance.",
    )
    return table
