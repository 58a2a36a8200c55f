"""Sections of the page *Validation*: sentences, charts and tables, a function a section."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.charts import validation as validation_charts
from dashboard.data import cached, validation_effects, validation_scores, validation_tables
from dashboard.data import validation_verdicts as verdict_data
from dashboard.data.types import Source
from dashboard.data.validation_verdicts import Verdict


def verdicts(source: Source, section: str, found: Sequence[Verdict]) -> None:
    """Sentences, each with a plain word on whether what it tests holds, and what that word means."""
    for one in found:
        mark = ":material/check_circle: **Holds.**" if one.holds else ":material/cancel: **Fails.**"
        st.markdown(f"{mark} {one.text}")
    control = " This model is a control: what holds here too is no evidence for others."
    if found:
        st.caption(f"*Holds*: {verdict_data.RULES[section]}.{control * bool(source.info.is_control)}")


def labels(source: Source) -> pd.DataFrame:
    """Labels of all models against what their heads act on."""
    st.markdown(
        "Is a head named by what it acts on? Each head is mean-ablated and the model runs on; the "
        "attribute whose zero-shot margin falls most is what the head acts on. A label is right if it is "
        "that word. Further right is better; a gray cross is the random-weights control, a thin line "
        "the same labels permuted."
    )
    found = validation_scores.labels(source)
    verdicts(source, "labels", verdict_data.on_labels(found, source.key))
    title = "heads labeled rightly (%), mean over attributes"
    chart = validation_charts.score_dots(validation_scores.label_pairs(source), title=title, share=True)
    st.altair_chart(chart, alt="Labels of every model scored")
    keys = validation_tables.originals(cached.query(source.bundle, "validation_scores"))
    _labels_table(validation_tables.in_brief(found, keys))
    st.caption(
        "*evidence*: of what a head acts on. *right*: per cent of the heads of an attribute, "
        "mean over attributes; *hits* of *heads*: plain count. *strong*: over heads that go with one "
        "attribute alone (ε² at least 0.25 and twice the next), *sure*: over those of them whose attribute "
        "these images decide (two standard errors ahead of the next); *supported*: over heads whose "
        "label rotated heads do not reach. *chance*: the same labels permuted. *commonest*: naming "
        "every head alike. *control*: the same method on random weights."
    )
    return found


def _labels_table(found: pd.DataFrame) -> None:
    """All models, evidence and methods, shares in per cent; empty columns are left out."""
    shares = ["right", "chance", "commonest", "control", "strong", "sure", "supported"]
    counts = ["hits", "heads", "strong_heads", "sure_heads", "supported_heads"]
    shown = found.drop(columns=["model_key"]).dropna(axis="columns", how="all")
    order = ["model", "evidence", "method", "right", "chance", "commonest", "control", "hits", "heads"]
    order += ["strong", "strong_heads", "sure", "sure_heads", "supported", "supported_heads"]
    columns = {name: st.column_config.NumberColumn(format="%.0f %%") for name in shares}
    columns |= {name: st.column_config.NumberColumn(name.replace("_", " "), format="%d") for name in counts}
    st.dataframe(
        shown.assign(**{name: 100 * shown[name] for name in shares if name in shown}),
        hide_index=True,
        column_order=order,
        column_config=columns,
        alt="Labels of every model by every method",
    )


def heads(source: Source) -> pd.DataFrame:
    """Every head of the model: what it acts on, and its label."""
    st.markdown(
        "What does each head act on, and does its label say so? In each cell the label stands over → the "
        "attribute whose zero-shot margin falls most when the head is mean-ablated. ✓ blue: they "
        "agree. ✗ orange: they do not. ? gray: the label is unsupported and claims nothing. – : nothing to "
        "name."
    )
    found = validation_scores.heads(source)
    verdicts(source, "heads", verdict_data.on_heads(found))
    st.altair_chart(
        validation_charts.verdict_grid(found), alt="Label of every head, and the attribute it acts on"
    )
    small = st.column_config.NumberColumn(format="%.4f")
    columns: dict = {name: name.replace("_", " ") for name in ("acts_on", "direct_acts_on", "varies_with")}
    columns |= {"fall": small, "lead": small, "selectivity": st.column_config.NumberColumn(format="%.2f")}
    columns["direct_fall"] = st.column_config.NumberColumn("direct fall", format="%.4f")
    table = found.drop(columns=["layer", "head"])
    st.dataframe(
        table, hide_index=True, column_config=columns, alt="Label of every head, and the attribute it acts on"
    )
    st.caption(
        "*fall*: mean fall of the margin by a forward pass; *lead*: that less the next attribute's. "
        "*direct*: the same with everything after the head frozen. *varies with*: the attribute of the "
        "largest *selectivity* (ε², share of the head's variance that goes with it)."
    )
    return found


def maps(source: Source) -> pd.DataFrame:
    """Maps of all models against the masks of known objects."""
    st.markdown(
        "Does a map light up the object that the text names? Pictures hold two objects; a map ranks their "
        "pixels, and the mask says which are right. *Contrast*: average precision on the named object less "
        "that on the other. *Caption*: less that of the map of another picture's caption. A map that "
        "ignores the text scores 0 in both. Gray crosses are random-weights controls; lines are 95 % "
        "intervals over pictures."
    )
    found = validation_scores.maps(source)
    control_key = validation_tables.control_key_of(
        cached.query(source.bundle, "validation_scores"), source.key
    )
    verdicts(source, "maps", verdict_data.on_maps(found, source.key, control_key))
    drawn = validation_scores.map_pair(source)
    for measure, title in validation_tables.measures(drawn).items():
        chart = validation_charts.score_dots(drawn[drawn["measure"] == measure], title=title)
        st.altair_chart(chart, alt=f"{title} of every kind of map")
    return found


def neighbors(source: Source, by: str) -> pd.DataFrame:
    """Neighbors through every head, property and the embedding, against what images share."""
    st.markdown(
        "Do the nearest images share what the head is about? Each cell is how many more of 100 nearest "
        "images share the query's value than chance gives. Look along a row: a head that is about one "
        "thing is dark in one column."
    )
    found = validation_scores.neighbors(source)
    verdicts(source, "neighbors", verdict_data.on_neighbors(found, by))
    best = validation_scores.nearest(source)
    share = st.column_config.NumberColumn(format="%.2f")
    columns: dict = {name: share for name in ("precision", "embedding", "chance")}
    columns |= {"best_head": "best head", "heads": "of heads"}
    st.dataframe(best, hide_index=True, column_config=columns, alt="The best head for every attribute")
    st.caption("The best of many heads is best partly by luck: it was chosen on the images it is scored on.")
    shown = found[found["by"].isin(["", by])]
    title = "precision less chance (points)"
    chart = validation_charts.heat(shown, rows="space", value="gain", title=title)
    st.altair_chart(chart, alt="Neighbors scored, by head")
    return found


def mean_ablation(source: Source) -> pd.DataFrame:
    """Accuracy lost by mean-ablating parts of the model."""
    st.markdown(
        "Does mean-ablating a property's heads remove that property, and little else? In a forward pass the "
        "model runs on without them; in the direct effect, as on the page *Mean-ablation*, everything after "
        "them is frozen. The orange diamond should lie far right, of the blue circles and of the gray bar."
    )
    found = validation_scores.mean_ablation(source)
    verdicts(source, "mean_ablation", verdict_data.on_mean_ablation(found))
    costs = validation_scores.property_costs(source)
    if len(costs):
        chart = validation_charts.property_costs(costs)
        st.altair_chart(chart, alt="Accuracy lost without each property's heads")
    for cell, (effect, title) in zip(
        st.columns(2, gap="large"), validation_effects.EFFECTS.items(), strict=True
    ):
        rows = validation_scores.accuracies(source, effect)
        title = f"accuracy (%), {title}, without ..."
        cell.altair_chart(
            validation_charts.heat(rows, rows="subject", value="value", title=title), alt=f"Table of {title}"
        )
    st.caption(
        "*early heads*: all heads before the decomposed layers. *random like* a property: the mean over "
        "random sets of as many heads of like variance; the gray bar is their 95 % range."
    )
    return found


def texts(source: Source) -> pd.DataFrame:
    """What is left when texts stand in for heads."""
    st.markdown(
        "Do a head's texts say all that it does? Every head keeps only its part along its first texts; the "
        "more of the accuracy that leaves, the better the texts describe the heads. Far right is the model "
        "as it is."
    )
    found = validation_scores.mean_ablation(source)
    found = found[found["subject_kind"].isin(["nothing", "texts"])]
    verdicts(source, "texts", verdict_data.on_texts(found, validation_scores.head_rank(source)))
    for cell, (effect, title) in zip(
        st.columns(2, gap="large"), validation_effects.EFFECTS.items(), strict=True
    ):
        curve, steps = validation_scores.text_curves(source, effect)
        chart = validation_charts.curves(curve, steps, title=title.capitalize())
        cell.altair_chart(chart, alt=f"Accuracy by texts kept, {title}")
    return found
