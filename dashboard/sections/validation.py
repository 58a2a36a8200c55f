"""Sections of the page *Validation*: verdicts, charts and tables, a function a section."""

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.charts import validation as validation_charts
from dashboard.data import validation_effects, validation_scores, validation_tables
from dashboard.data import validation_verdicts as verdict_data
from dashboard.data.types import Source
from dashboard.data.validation_verdicts import Verdict
from dashboard.sections import head_links
from dashboard.sections.shared import draw_chart, draw_table, ends
from dashboard.state.markdown import literal

MAX_SENTENCES = 6
"""Maximum number of verdicts that are not folded."""

MAX_BESIDE = 10
"""Maximum number of attributes of a table in half of the page's width."""


def verdicts(source: Source, section: str, rows: Sequence[Verdict]) -> None:
    """Sentences, each marked as holding or failing, and the criterion; many sentences are folded."""
    place: DeltaGenerator | None = None
    if len(rows) > MAX_SENTENCES:
        holding = sum(verdict.holds for verdict in rows)
        st.markdown(f"**Holds in {holding} of {len(rows)} cases.**")
        place = st.expander(f"The {len(rows)} cases")
    for verdict in rows:
        mark = ":material/check_circle: **Holds.**" if verdict.holds else ":material/cancel: **Fails.**"
        (place or st).markdown(f"{mark} {literal(verdict.text)}")
    control = " This model is a control: what holds here too is no evidence for others."
    if rows:
        st.caption(f"*Holds*: {verdict_data.RULES[section]}.{control * bool(source.info.is_control)}")


def labels(source: Source) -> pd.DataFrame:
    """Labels of all models against the attributes that their heads act on."""
    st.markdown(
        "Do labels name the attribute that a head acts on? Look for blue circles to the right of the gray "
        "crosses (random weights) and of the thin lines (permuted labels).",
        help="Each head is mean-ablated in a forward pass. It acts on the attribute whose zero-shot margin "
        "falls most. A label is right if it is that word.",
    )
    table = validation_scores.labels(source)
    verdicts(source, "labels", verdict_data.on_labels(table, source.key))
    title = "right labels (%), mean over attributes"
    pairs = validation_scores.label_pairs(source)
    chart = validation_charts.score_dots(pairs, title=title, share=True)
    models = pairs[pairs["kind"] == "model"]
    draw_chart(chart, f"Right labels in per cent: {ends(models['subject'], models['value'])}.")
    keys = validation_tables.originals(validation_scores.scores(source))
    _labels_table(validation_tables.in_brief(table, keys))
    st.caption(
        "*right*: per cent of the heads of an attribute, mean over attributes; *hits* of *heads*: plain "
        "count.",
        help="*evidence*: measure of what a head acts on. *strong*: heads that go with one attribute alone "
        "(ε² at least 0.25 and twice the next). *sure*: those of them whose attribute leads by two standard "
        "errors. *supported*: heads with a supported label. *chance*: the same labels permuted. *commonest*: "
        "the most frequent label for every head. *control*: the same method on random weights.",
    )
    return table


def _labels_table(table: pd.DataFrame) -> None:
    """All models, evidence and methods, shares in per cent, without empty columns."""
    shares = ["right", "chance", "commonest", "control", "strong", "sure", "supported"]
    counts = ["hits", "heads", "strong_heads", "sure_heads", "supported_heads"]
    shown = table.drop(columns=["model_key"]).dropna(axis="columns", how="all")
    order = ["model", "evidence", "method", "right", "chance", "commonest", "control", "hits", "heads"]
    order += ["strong", "strong_heads", "sure", "sure_heads", "supported", "supported_heads"]
    columns = {name: st.column_config.NumberColumn(format="%.0f %%") for name in shares}
    columns |= {name: st.column_config.NumberColumn(name.replace("_", " "), format="%d") for name in counts}
    shown = shown.assign(**{name: 100 * shown[name] for name in shares if name in shown})
    draw_table(shown, columns, "Labels of every model by every method", column_order=order, placeholder="–")


def heads(source: Source) -> pd.DataFrame:
    """Every head of the model: its label and the attribute it acts on."""
    st.markdown(
        "Compare the label of each head with → the attribute it acts on. ✓ blue: they agree. ✗ orange: they "
        "do not. ? gray: the label is unsupported. –: no attribute to name.",
        help="A head acts on the attribute whose zero-shot margin falls most if the head is mean-ablated.",
    )
    table = validation_scores.heads(source)
    verdicts(source, "heads", verdict_data.on_heads(table))
    alt = "Label of every head, and the attribute it acts on"
    counts = ", ".join(f"{verdict} {count}" for verdict, count in table["verdict"].value_counts().items())
    draw_chart(validation_charts.verdict_grid(table), f"{alt}: {counts}.")
    small = st.column_config.NumberColumn(format="%.4f")
    columns: dict = {name: name.replace("_", " ") for name in ("acts_on", "direct_acts_on", "varies_with")}
    columns |= {"fall": small, "lead": small, "selectivity": st.column_config.NumberColumn(format="%.2f")}
    columns["direct_fall"] = st.column_config.NumberColumn("direct fall", format="%.4f")
    columns[head_links.LINK] = head_links.column()
    shown = table.drop(columns=["layer", "head"]).assign(open=head_links.addresses(source, table["name"]))
    order = [head_links.LINK, *shown.columns.drop([head_links.LINK, "name"])]
    draw_table(shown, columns, alt, placeholder="–", column_order=order)
    st.caption(
        "*fall*: mean fall of the margin in a forward pass; *lead*: that minus the next attribute's.",
        help="*direct*: the same with all later parts frozen. *varies with*: the attribute of the largest "
        "*selectivity* (ε², the share of the head's variance that the attribute explains).",
    )
    return table


def maps(source: Source) -> pd.DataFrame:
    """Maps of all models against the masks of the objects."""
    st.markdown(
        "Are maps high on the object that the text names? Look for values above 0 and above the gray crosses "
        "(random-weights control); lines are 95 % intervals over images.",
        help="Images contain two objects; a map ranks the pixels, and a mask marks the named object. "
        "*Contrast*: average precision on the named object minus that on the other. *Caption*: minus that of "
        "the map of another image's caption. A map that ignores the text scores 0 in both.",
    )
    table = validation_scores.maps(source)
    control_key = validation_tables.control_key_of(validation_scores.scores(source), source.key)
    verdicts(source, "maps", verdict_data.on_maps(table, source.key, control_key))
    pair = validation_scores.map_pair(source)
    for measure, title in validation_tables.measures(pair).items():
        rows = pair[pair["measure"] == measure]
        chart = validation_charts.score_dots(rows, title=title)
        models = rows[rows["kind"] == "model"]
        draw_chart(chart, f"{title} of every kind of map: {ends(models['subject'], models['value'])}.")
    return table


def neighbors(source: Source, by: str) -> pd.DataFrame:
    """Neighbors through every head, every property and the embedding, against shared attributes."""
    st.markdown(
        "Do the nearest images share the head's attribute? Look for rows with one dark cell: a head of one "
        "attribute. Cell: of 100 nearest images, how many more than by chance share the query's value."
    )
    table = validation_scores.neighbors(source)
    verdicts(source, "neighbors", verdict_data.on_neighbors(table, by))
    best = validation_scores.nearest(source)
    share = st.column_config.NumberColumn(format="%.2f")
    columns: dict = {name: share for name in ("precision", "embedding", "chance")}
    columns |= {"best_head": head_links.column("best head", 130), "heads": "of heads"}
    linked = best.assign(best_head=head_links.addresses(source, best["best_head"]))
    draw_table(linked, columns, "The best head for every attribute")
    st.caption("Do not trust a small lead: the best of many heads was chosen on the images that score it.")
    shown = table[table["by"].isin(["", by])]
    title = "precision minus chance (points)"
    chart = validation_charts.heat(shown, rows="space", value="gain", title=title)
    result = ends(shown["space"] + " for " + shown["attribute"], 100 * shown["gain"])
    draw_chart(chart, f"Precision of neighbors minus chance in points: {result}.")
    return table


def mean_ablation(source: Source) -> pd.DataFrame:
    """Accuracy lost by mean-ablating parts of the model."""
    st.markdown(
        "Does mean-ablating a property's heads remove that property alone? Look for orange diamonds to the "
        "right of the blue circles and of the gray bar.",
        help="A forward pass continues without the heads; for the direct effect, as on the page "
        "*Mean-ablation*, all later parts stay frozen.",
    )
    table = validation_scores.mean_ablation(source)
    verdicts(source, "mean_ablation", verdict_data.on_mean_ablation(table))
    costs = validation_scores.property_costs(source)
    if len(costs):
        chart = validation_charts.property_costs(costs)
        result = ends(costs["row"] + " for " + costs["attribute"], costs["points"])
        draw_chart(chart, f"Points of accuracy lost without the heads of each property: {result}.")
    for cell, effect, title in _effects(beside=table["attribute"].nunique() <= MAX_BESIDE):
        rows = validation_scores.accuracies(source, effect)
        title = f"accuracy (%), {title}, without ..."
        chart = validation_charts.heat(rows, rows="subject", value="value", title=title)
        with cell:
            result = ends(rows["subject"] + " in " + rows["attribute"], 100 * rows["value"])
            draw_chart(chart, f"Table of {title} {result}.")
    st.caption(
        "*early heads*: all heads before the decomposed layers. *random like* a property: mean over random "
        "sets of as many heads of similar variance; gray bar: their 95 % range."
    )
    return table


def _effects(*, beside: bool = True) -> Iterator[tuple[DeltaGenerator, str, str]]:
    """Yields a place on the page, name and title of each effect, one beside the other or below it."""
    places = st.columns(2, gap="large") if beside else [st.container(), st.container()]
    for place, effect in zip(places, validation_effects.EFFECTS.items(), strict=True):
        yield place, *effect


def texts(source: Source) -> pd.DataFrame:
    """Accuracy with heads replaced by their part along their first texts."""
    st.markdown(
        "Do a head's texts describe all of it? Look for few texts with the accuracy of the unchanged model, "
        "at the far right.",
        help="Every head keeps only its part along its first texts.",
    )
    table = validation_scores.mean_ablation(source)
    table = table[table["subject_kind"].isin(["nothing", "texts"])]
    verdicts(source, "texts", verdict_data.on_texts(table, validation_scores.head_rank(source)))
    for cell, effect, title in _effects():
        curve, steps = validation_scores.text_curves(source, effect)
        chart = validation_charts.kept_texts(curve, steps, title=title.capitalize())
        with cell:
            result = ends(curve["attribute"] + " with texts " + curve["step"], 100 * curve["value"])
            draw_chart(chart, f"Accuracy in per cent by texts kept, {title}: {result}.")
    return table
