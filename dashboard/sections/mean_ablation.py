"""Sections of the page *Mean-ablation*."""

import pandas as pd
import streamlit as st

from dashboard.charts import validation as validation_charts
from dashboard.data import mean_ablation as ablation_data
from dashboard.data.mean_ablation import MeanAblation
from dashboard.state.views import Head

NO_CLASSES = (
    "This bundle has no class texts, so its images cannot be classified zero-shot. Build one with them: "
    "`python -m precompute run --metadata attributes.csv` says what the images are (a column `class` is "
    'asked as "a photo of a ..."); `--prompts prompts.tsv` gives the texts for any other attribute.'
)
DIRECT_ONLY = (
    "This is the direct effect only: each head's own contribution to the embedding is replaced by its mean, "
    "and everything after the heads, the last LayerNorm included, is frozen as it was. What the model does "
    "when it runs on without them is measured by forward passes on the page *Validation*, section "
    "*Mean-ablation*, where the bundle was built with `--validation`."
)


def headline(found: MeanAblation, attribute: str) -> None:
    """Four accuracies over all images, and the sentence they amount to."""
    outcomes = {"All heads in place": found.before, f"Without {_heads(found.heads, 'these')}": found.after}
    if found.control_heads:
        outcomes[f"Without {_heads(found.control_heads, 'random')}"] = found.control
    outcomes["Without any stored head"] = found.without_all
    for cell, (title, one) in zip(st.columns(len(outcomes)), outcomes.items(), strict=True):
        value = ablation_data.accuracy(one)
        change = (
            None
            if one is found.before
            else ablation_data.change(value - ablation_data.accuracy(found.before))
        )
        cell.metric(title, f"{value:.1f} %", change, delta_color="off", delta_arrow="off")
    st.markdown(ablation_data.verdict(found, attribute))
    asked = found.asked
    sampled = f", an even sample of {asked.known:,}" if asked.known > len(asked.own) else ""
    st.caption(
        f"{len(asked.own):,} images{sampled}, each with exactly one of {len(asked.values):,} classes; "
        f"guessing gives {100 / len(asked.values):.2g} %. {DIRECT_ONLY}"
    )


def _heads(heads: tuple[Head, ...], which: str) -> str:
    if len(heads) == 1:
        return {"these": "this head", "random": "a random head"}[which]
    return f"{which} {len(heads)} heads" if which == "these" else f"{len(heads)} random heads"


def classes(found: MeanAblation, table: pd.DataFrame, most: int) -> None:
    """Every class before and after, largest loss first."""
    shown = ablation_data.both_ends(table, most)
    st.subheader("Class by class")
    chart = validation_charts.dumbbells(shown, control=bool(found.control_heads))
    st.altair_chart(chart, alt="Zero-shot accuracy of every class with and without the heads")
    part = (
        f"The {most:,} largest losses and the {most:,} largest gains, or smallest losses, of {len(table):,} "
        "classes."
        if len(shown) < len(table)
        else "Largest loss first."
    )
    st.caption(f"{part} In brackets: images of the class.")


def lost(found: MeanAblation, table: pd.DataFrame) -> pd.DataFrame:
    """Where the images went that were right before and are wrong now."""
    rows = ablation_data.lost_to(found, table)
    st.subheader("Where the lost images went")
    if rows.empty:
        st.caption("No image was lost.")
        return rows
    share = st.column_config.NumberColumn(format="%.1f %%")
    st.dataframe(
        rows,
        hide_index=True,
        column_config={"before": share, "after": share, "went_to": "taken for"},
        alt="Lost images by class, and the classes they are taken for now",
    )
    return rows
