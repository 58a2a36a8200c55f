"""Sections of the page *Mean-ablation*."""

import pandas as pd
import streamlit as st

from dashboard.charts import validation as validation_charts
from dashboard.data import mean_ablation as ablation_data
from dashboard.data.mean_ablation import MeanAblation
from dashboard.data.versus import Side
from dashboard.sections import versus as versus_sections
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.markdown import literal

NO_CLASSES = (
    "This bundle has no class texts, so its images cannot be classified zero-shot. Build one with them: "
    "`headlight run --metadata attributes.csv` gives the attributes of the images (the prompt of a column "
    '`class` is "a photo of a ..."); `--prompts prompts.tsv` gives the prompts of other attributes.'
)
DIRECT_ONLY = (
    "The head's contribution to the embedding is replaced by its mean, and all later parts, the last "
    "LayerNorm included, stay frozen. The page *Validation*, section *Mean-ablation*, measures forward "
    "passes without the heads, if the bundle was built with `--validation`."
)


def headline(result: MeanAblation, attribute: str) -> None:
    """Four accuracies over all images, and their comparison in a sentence."""
    heads, random = len(result.heads), len(result.control_heads)
    outcomes = {"All heads in place": result.before}
    outcomes["Without this head" if heads == 1 else f"Without these {heads} heads"] = result.after
    if random:
        title = "Without a random head" if random == 1 else f"Without {random} random heads"
        outcomes[title] = result.control
    outcomes["Without any stored head"] = result.without_all
    before = ablation_data.accuracy(result.before)
    with st.container(horizontal=True, gap="medium"):
        for title, outcome in outcomes.items():
            value = ablation_data.accuracy(outcome)
            change = None if outcome is result.before else ablation_data.change(value - before)
            st.metric(title, f"{value:.1f} %", change, delta_color="off", delta_arrow="off", width="content")
    st.markdown(literal(ablation_data.verdict(result, attribute)))
    images, values = len(result.scores.target), len(result.scores.values)
    labeled = result.scores.labeled_images
    sampled = f", an even sample of {labeled:,}" if labeled > images else ""
    st.caption(
        f"{images:,} images{sampled}, each with exactly one of {values:,} classes; guessing gives "
        f"{100 / values:.3g} %. This is the direct effect only.",
        help=DIRECT_ONLY,
    )


def classes(result: MeanAblation, table: pd.DataFrame, most: int, side: Side, *, first: bool) -> None:
    """Accuracy of every class before and after, the largest loss of the `first` side first."""
    shown = ablation_data.both_ends(table, most)
    st.header(versus_sections.of("Class by class", side))
    chart = validation_charts.dumbbells(shown, control=bool(result.control_heads))
    words, whose = ends(table["class"], table["after"], ".0f"), f"{side.placed_name} ".lstrip()
    draw_chart(chart, f"{whose}Zero-shot accuracy in per cent of every class without the heads: {words}.")
    part = (
        f"The {most:,} largest losses and the {most:,} largest gains, or smallest losses, of {len(table):,} "
        "classes."
        if len(shown) < len(table)
        else ("Largest loss first." if first else "In the order of the left side.")
    )
    st.caption(f"{part} In brackets: number of images.")


def lost(result: MeanAblation, table: pd.DataFrame, side: Side) -> pd.DataFrame:
    """New classes of the images that were right before and are wrong now."""
    rows = ablation_data.lost_to(result, table)
    st.header(versus_sections.of("Misclassified as", side))
    if rows.empty:
        st.caption("No image was lost.")
        return rows
    share = st.column_config.NumberColumn(format="%.1f %%")
    columns = {"before": share, "after": share, "went_to": "misclassified as"}
    draw_table(rows, columns, "Lost images by class, and their new classes")
    return rows
