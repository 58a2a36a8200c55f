"""How the page Head shows what a head's label rests on: every label, every judge, every number."""

import pandas as pd
import streamlit as st

from dashboard.charts import heads as head_charts
from dashboard.data import heads as head_data
from dashboard.data import label_text
from dashboard.data.types import Source
from dashboard.state.views import Head

PERCENT = "%.1f %%"

INTERVAL = "95\u00a0%"
COLUMN_NOTES = {
    "chance": "*chance*: the same for the head turned at random inside its own space.",
    INTERVAL: "*95 %*: what another sample of images and texts would change; nothing here speaks of another "
    "training run.",
}
"""What columns of the table of metrics mean, where they are shown. An interval breaks over no two lines."""


def draw_labels(source: Source, head: Head) -> None:
    """Every label that the head was given, and what speaks for each."""
    table = head_data.labels(source, head)
    columns: dict = {
        "method": st.column_config.TextColumn(
            "method",
            help="By variance share is the offline default; a person or a language model goes before",
        ),
        "picks": st.column_config.NumberColumn("texts read", width=80),
        "share": st.column_config.NumberColumn(
            "share", format=PERCENT, help="Of the head's variance, by its texts of this property"
        ),
        "lead": st.column_config.NumberColumn(
            "lead",
            format="%.3f",
            help="How far the label stands out from the next property, beyond rotated heads: what is tested",
        ),
        "tail": st.column_config.NumberColumn(
            "tail",
            format="%.2g",
            help="How rarely texts drawn from the pool carry the property as often: an index, no p-value",
        ),
        "p_value": st.column_config.NumberColumn(
            "p", format="%.3g", help=f"Against {label_text.tested_against(source)}"
        ),
        "q_value": st.column_config.NumberColumn("q", format="%.3g", help="p over all heads of the model"),
        "votes": st.column_config.NumberColumn("votes", format="%.0f %%", help="Of the valid draws"),
        "given_by": "given by",
        "reason": st.column_config.TextColumn("why", width=150),
    }
    shown = head_data.in_percent(table).assign(method=table["method"].str.replace("_", " "))
    st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        placeholder="",
        alt="All labels of the head with their evidence",
    )
    st.caption(
        "*chosen* is what pages show: a person's label, else a language model's, else the offline one. "
        "*supported*: q at most 0.05, or most draws agree, or a person says so."
    )


def draw_judgements(source: Source, head: Head) -> None:
    """Whether the first texts agree with the label, judge by judge."""
    table = head_data.judgements(source, head)
    if table.empty:
        st.caption("No judge was asked about this head.")
        return
    judges = [name for name in table.columns if name not in ("label", "position", "text")]
    shown = table.assign(**{name: table[name].map(agreement) for name in judges})
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="",
        column_config={
            "position": st.column_config.NumberColumn("", width=30),
            "text": st.column_config.TextColumn("is this text consistent with the label?", width="large"),
            "tag_match": "tags match",
        },
        alt="Judgements of the head's first texts",
    )
    st.caption(
        "*tags match* is the offline rule and no judge: it repeats the tags that chose the label. Of several "
        "draws of one judge: the share that agree."
    )


def agreement(share: float) -> str:
    """The share of a judge's draws that say yes, as a sign."""
    if pd.isna(share):
        return ""
    return {1.0: "✓ yes", 0.0: "✗ no"}.get(share, f"{100 * share:.0f} % yes")


def draw_answers(source: Source, head: Head) -> None:
    """What language models answered, in full, where any were asked."""
    table = head_data.language_model_answers(source, head)
    if table.empty:
        return
    box = st.expander(
        f"{len(table)} answers of language models", icon=":material/forum:", key="answers", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        st.dataframe(table, hide_index=True, alt="Questions to language models and their answers")


def draw_metrics(source: Source, head: Head) -> pd.DataFrame:
    """Every metric of the head, beside what rotated heads give."""
    table = head_data.metrics_table(source, head)
    if table.empty:
        st.caption("No metric of this head was computed.")
        return table
    shown = pd.DataFrame(
        {
            "metric": table["title"],
            "value": table["value"].map("{:.3g}".format),
            INTERVAL: table["interval"].str.replace(" ", "\u00a0"),
            "chance": table["chance"].map(lambda value: "" if pd.isna(value) else f"{value:.3g}"),
            "unit": table["unit"],
            "what it says": table["description"],
        }
    )
    empty = [name for name in shown if (shown[name] == "").all()]
    st.table(shown.drop(columns=empty), border="horizontal", hide_index=True, alt="Metrics of the head")
    st.caption(" ".join(said for name, said in COLUMN_NOTES.items() if name not in empty))
    return table


def draw_profile(source: Source, head: Head) -> None:
    """What the first texts are about, beside what the pool is about."""
    found = head_data.profile(source, head)
    if found.empty:
        st.caption("No text of this head carries a property.")
        return
    read = min(head_data.PROFILE_PICKS, len(head_data.texts(source, head)))
    st.altair_chart(
        head_charts.profile_bars(found, head_data.label(source, head)),
        alt="Properties of the head's first texts",
    )
    st.caption(
        f"What its first {read} texts are about; a text may carry several properties. "
        "Dark: the label. Orange ticks: the whole pool, what texts drawn at random would give."
    )


def draw_selectivity(source: Source, head: Head) -> pd.DataFrame:
    """What the head varies with, by the images' known attributes."""
    found = head_data.selectivity(source, head)
    if found.empty:
        st.caption("No selectivity: nothing is known of the images that this model saw.")
        return found
    st.altair_chart(head_charts.selectivity_dots(found), alt="Selectivity of the head for every attribute")
    st.caption(
        "Share of what the head writes that goes with each attribute's values; 0 is chance. High selectivity "
        "alone proves nothing: the heads of untrained models are selective too. Compare the control."
    )
    return found
