"""Sections of the page Compare: paired heads of two models, and what differs between the models."""

import pandas as pd
import streamlit as st

from dashboard.charts import compare as compare_charts
from dashboard.charts import heads as head_charts
from dashboard.data import choices, defaults, digits, label_text
from dashboard.data import compare as compare_data
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from dashboard.sections import head_links
from dashboard.sections.gallery import draw_linked
from dashboard.sections.heads import open_head
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.markdown import literal
from dashboard.state.views import CompareView, Head, HeadView, head_name

CKA = "CKA"
MAX_ATTRIBUTES = 12
"""Attributes that the chart shows: those with the most pairs that differ."""

NO_INTERVALS = (
    "Selectivity has no intervals in this bundle, so no difference is clear: it takes replicates and 640 "
    "images with the attribute."
)
PAIR_IMAGES = 8
"""Images of each of two heads side by side."""


def draw_matches(source: Source, view: CompareView) -> pd.DataFrame:
    """The heads of this model, each with its partner; a click opens the head."""
    table = compare_data.pairs(source, view.other, view.pairing)
    if table.empty:
        st.info(literal(_no_pairs(source, view)), icon=":material/info:")
        return table
    st.markdown(literal(compare_data.summary(table)))
    frame = compare_data.cells(source, view.other, view.pairing)
    chart = head_charts.value_grid(frame, title=CKA, unit="1: equal outputs", signed=False)
    alt = f"CKA of every head with its partner, layer by head: {ends(frame['name'], frame['value'])}."
    event = draw_chart(head_charts.clickable(chart), key="compare.grid", on_select="rerun", alt=alt)
    st.caption(
        "Number: CKA of the head's outputs with those of its partner, named below it. Dim: no better than a "
        "control.",
        help="CKA is 1 for outputs that are equal up to rotation and scale, 0 for independent ones. "
        "A pair is dim unless at most 5 % of the heads reach its CKA with a head of the other model's "
        "random-weights control, and with the other model after its images were shuffled.",
    )
    cell = next(iter(event["selection"].get(head_charts.CLICK) or []), None)
    if cell:
        open_head(source, (int(cell["layer"]), int(cell["head"])))
    return table


def _no_pairs(source: Source, view: CompareView) -> str:
    """Returns why two models have no paired heads."""
    other = compare_data.other_source(source, view.other)
    if not (source.has_vectors and other.has_vectors):
        return "Imported results have no outputs on images, by which heads could be paired."
    if view.pairing == "place":
        return (
            "These models differ in architecture: heads of the same layer and number have nothing in common."
        )
    return "Heads are matched between trained models, and between a model and its own control."


def draw_pair(source: Source, view: CompareView, pairs: pd.DataFrame) -> None:
    """A head and its partner, each with its label and the images most aligned with its first text."""
    place = compare_data.partner(pairs, view.head)
    if place is None:
        st.info(f"No head of the other model is left for {head_name(view.head)}.", icon=":material/info:")
        return
    other = compare_data.other_source(source, view.other)
    columns = st.columns(2, gap="large")
    for column, side, head, which in zip(
        columns, (source, other), (view.head, place), ("this model", "the other model"), strict=True
    ):
        with column:
            _draw_side(side, head, which)
    st.caption(
        "Images most aligned with the first text of each head, in standard deviations: one scale for both."
    )


def _draw_side(source: Source, head: Head, which: str) -> None:
    """One head of a pair; `which` names its model for screen readers."""
    label = f"{head_name(head)} of {literal(source.info.model)}"
    link = defaults.link(source, HeadView, head=head)
    st.page_link("views/head.py", label=label, icon=":material/center_focus_strong:", query_params=link)
    st.caption(literal(label_text.label_evidence(source, head)))
    if source.has_vectors and len(head_data.texts(source, head)):
        count = min(PAIR_IMAGES, choices.max_of_each(source))
        images = head_data.sorted_images(source, head, 0, count, 0).most
        draw_linked(source, images, head, columns=4, form="+z.1f", title=f"Most aligned, {which}")


def draw_models(source: Source, view: CompareView) -> pd.DataFrame:
    """Differences of the main metrics of both models."""
    table = compare_data.main_differences(source, view.other)
    if table.empty:
        st.info("The two models have no metric in common.", icon=":material/info:")
        return table
    draw_chart(
        compare_charts.difference_dots(table, title="this model − the other (share)"),
        f"Differences of metrics, this model minus the other: {ends(table['title'], table['difference'])}.",
    )
    st.caption(
        "Right of 0: this model has more. Lines: paired 95 % intervals over images and texts; one that "
        "crosses 0 shows no difference.",
        help="Both models are measured on the same random halves of images and texts, so what these have in "
        "common cancels. Intervals say nothing of another training run. A metric that the halves do not "
        "repeat has a mark without a line.",
    )
    return table


def draw_labels(source: Source, view: CompareView, table: pd.DataFrame) -> None:
    """Labels of both heads of every pair."""
    counts = compare_data.transitions(table)
    if counts.empty:
        return
    names = source.info.model, compare_data.other_source(source, view.other).info.model
    pairs = counts["label"] + " and " + counts["other_label"]
    draw_chart(
        compare_charts.transitions(counts, names=names),
        f"Number of pairs by the labels of both heads: {ends(pairs, counts['pairs'])}.",
    )
    st.caption(
        literal(
            f"Number of pairs by label. Framed: both have one label. {compare_data.spaces(source, table)}"
        )
    )


def draw_attributes(source: Source, view: CompareView) -> pd.DataFrame:
    """Attributes of the images with which paired heads vary differently."""
    table = compare_data.attribute_changes(source, view.other, view.pairing)
    changed = table[table["more"] + table["less"] > 0]
    if table.empty:
        st.info("The images have no attributes that heads could vary with.", icon=":material/info:")
        return table
    if changed.empty:
        known = table["pairs"].any()
        st.markdown("No pair of heads clearly differs in what it varies with." if known else NO_INTERVALS)
        return table
    first = changed.iloc[0]
    st.markdown(
        literal(
            f"Clearest: {first.attribute}. Of {first.pairs} pairs, this model's head varies more with it in "
            f"{first.more}, the other in {first.less}."
        )
    )
    words = ", ".join(f"{row.attribute} {row.more} and {row.less}" for row in changed.itertuples())
    draw_chart(
        compare_charts.attribute_counts(changed.head(MAX_ATTRIBUTES)),
        f"Number of pairs in which this head, and in which its partner varies more: {words}.",
    )
    st.caption(
        "Right: this model's head varies more with the attribute. Left: its partner does.",
        help="Selectivity: the share of a head's variance that an attribute explains (ε²). A pair counts if "
        "the 95 % intervals of its two heads do not overlap.",
    )
    return table


def draw_heads(source: Source, view: CompareView) -> pd.DataFrame:
    """One metric of both heads of every pair: a plot, and a table with links to the heads."""
    table = compare_data.differences_in(source, view.other, view.pairing, view.head_metric)
    if table.empty:
        st.info("No pair of heads has this metric.", icon=":material/info:")
        return table
    measure = head_data.measure(source, view.head_metric)
    other = compare_data.other_source(source, view.other)
    sure = int(table["sure"].sum())
    known = table["low"].notna().any()
    st.markdown(
        f"**{sure} of {len(table)}** pairs surely differ in {literal(measure.title)}."
        if known
        else f"{literal(measure.title)} has no replicates, so no difference in it is sure.",
        help="Surely: simultaneous 95 % over all pairs (max-t of the paired replicates).",
    )
    names = source.info.model, other.info.model
    pairs = table["name"] + " and " + table["other_name"]
    draw_chart(
        compare_charts.pair_scatter(table, unit=measure.unit, names=names),
        f"{measure.title} of paired heads, {sure} pairs surely differ. Difference: "
        f"{ends(pairs, table['difference'])}.",
    )
    st.caption("Below the diagonal: this model's head has more. Orange diamonds surely differ.")
    _draw_table(source, other, table)
    return table


def _draw_table(source: Source, other: Source, table: pd.DataFrame) -> None:
    column = st.column_config
    shown = table.assign(
        head=head_links.addresses(source, table["name"]),
        other_head=head_links.addresses(other, table["other_name"]),
        interval=[head_data.interval(row.low, row.high) for row in table.itertuples()],
        sure=table["sure"].map({True: "✓", False: ""}),
    )
    form = f"%.{digits.decimals(table['difference'])}f"
    columns = {
        "head": head_links.column(),
        "shown": column.TextColumn("label", width=130),
        "other_head": head_links.column("other head", 90),
        "other_shown": column.TextColumn("its label", width=130),
        "cka": column.NumberColumn(CKA, format="%.2f", width=60),
        "value": column.NumberColumn("this head", format=form, width=90),
        "other_value": column.NumberColumn("the other", format=form, width=90),
        "difference": column.NumberColumn("difference", format=form, width=90),
        "interval": column.TextColumn("95 %", width=150),
        "sure": column.TextColumn("sure", width=50),
    }
    draw_table(shown, columns, "Paired heads, those that surely differ first", column_order=list(columns))
