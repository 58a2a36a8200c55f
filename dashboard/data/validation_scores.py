"""Validation scores of a bundle, as tables for the page *Validation*; kept with `cached.kept`."""

import numpy as np
import pandas as pd

from dashboard.data import cached, validation_effects, validation_tables
from dashboard.data.types import Source

SECTIONS = {
    "labels": "Labels",
    "heads": "Head by head",
    "maps": "Maps",
    "neighbors": "Neighbors",
    "mean_ablation": "Mean-ablation",
    "texts": "Texts for heads",
}
STUDIES = {"texts": "mean_ablation"}
"""The study that a section reads, where it is not of its name."""

AS_IT_IS = "all of it"
"""Where the unchanged model stands on an axis of texts kept."""


def missing(source: Source, section: str) -> str:
    """Why a section has nothing to show, and what to do; empty where it has."""
    study = STUDIES.get(section, section)
    scores = cached.query(source.bundle, "validation_scores")
    found = (
        cached.of_model(source, "head_validation")
        if section == "heads"
        else validation_tables.study(scores, study, source.key)
    )
    if len(found) and section == "labels" and labels(source).empty:
        return "No head of any model acts on an attribute that a label could name, so no label can be right."
    if len(found):
        return ""
    if section == "maps":
        return (
            "No map of this model was scored. Build the bundle with `python -m precompute run --validation` "
            "and `--masks masks.csv`; that file has the columns path, mask, object and caption, two rows a "
            "picture. For scenes of the demo, `python -m precompute.demo scenes --kinds 2 --masks` writes it."
        )
    return (
        "This was not scored for this model. Build the bundle with `python -m precompute run --validation`, "
        "`--metadata attributes.csv` for what the images are and `--prompts prompts.tsv` for how to ask."
    )


def head_rank(source: Source) -> int:
    """Dimensions of a head; of the largest where they differ."""
    return int(cached.heads(source)["rank"].max())


def pair(source: Source) -> tuple[str, str]:
    """The chosen model and its control; where a control is chosen, its model, and it."""
    scores = cached.query(source.bundle, "validation_scores")
    names = scores.drop_duplicates("model_key").set_index("model")["model_key"]
    model_key = names.get(source.info.control_of, source.key)
    return model_key, validation_tables.control_key_of(scores, model_key)


def label_pairs(source: Source) -> pd.DataFrame:
    """Accuracy of the label that pages show: a row per model and one for its control, in per cent."""
    table, scores = labels(source), cached.query(source.bundle, "validation_scores")
    first = table[["evidence", "method"]].iloc[0]
    shown = table[(table[["evidence", "method"]] == first).all(axis=1)]
    of = scores.drop_duplicates("model_key").set_index("model_key")["control_of"]
    own = shown["model_key"].map(of)
    known = own.isin(scores["model"])
    return shown.assign(
        subject=own.where(known, shown["model"]),
        kind=known.map({True: "control", False: "model"}),
        value=100 * shown["right"],
        chance=100 * shown["chance"],
        low=np.nan,
        high=np.nan,
    )


def map_pair(source: Source) -> pd.DataFrame:
    """Maps of the chosen model and of its control; their best heads in one row, though they differ."""
    model_key, control_key = pair(source)
    rows = maps(source)
    rows = rows[rows["model_key"].isin([model_key, control_key])]
    subject = rows["subject"].mask(rows["subject_kind"] == "best_head", "best head")
    kind = rows["model_key"].map({model_key: "model", control_key: "control"})
    order = rows["subject_kind"].map(validation_tables.MAP_KINDS.index)
    return rows.assign(subject=subject, kind=kind, order=order).sort_values(
        ["order", "subject"], kind="stable"
    )


@cached.kept(max_entries=16)
def labels(source: Source) -> pd.DataFrame:
    """One row per model and way to label: the shares of heads that are named rightly."""
    return validation_tables.labels(cached.query(source.bundle, "validation_scores"))


@cached.kept(max_entries=16)
def heads(source: Source) -> pd.DataFrame:
    """One row per head of the model: what it acts on, its label, and whether they agree."""
    properties = set(cached.of_model(source, "properties")["property"])
    return validation_effects.head_verdicts(
        cached.of_model(source, "head_validation"), cached.heads(source), properties
    )


@cached.kept(max_entries=16)
def maps(source: Source) -> pd.DataFrame:
    """One row per model, measure and kind of map."""
    return validation_tables.maps(cached.query(source.bundle, "validation_scores"))


@cached.kept(max_entries=16)
def neighbors(source: Source) -> pd.DataFrame:
    """One row per space, way to compare and attribute."""
    return validation_tables.neighbors(cached.query(source.bundle, "validation_scores"), source.key)


@cached.kept(max_entries=16)
def nearest(source: Source) -> pd.DataFrame:
    """One row per attribute: the head whose neighbors share it most."""
    return validation_tables.nearest(cached.query(source.bundle, "validation_scores"), source.key)


@cached.kept(max_entries=16)
def mean_ablation(source: Source) -> pd.DataFrame:
    """One row per intervention, attribute and effect."""
    return validation_effects.mean_ablation(cached.query(source.bundle, "validation_scores"), source.key)


@cached.kept(max_entries=16)
def property_costs(source: Source) -> pd.DataFrame:
    """One row per property, effect and attribute: points of accuracy lost by mean-ablating its heads."""
    table, rows = mean_ablation(source), []
    for name in validation_effects.properties(table):
        for effect, title in validation_effects.EFFECTS.items():
            cost = validation_effects.cost(table, name, effect)
            for attribute, fall in validation_effects.falls(table, name, effect).items():
                own = attribute == name
                ends = (100 * cost.low, 100 * cost.high) if own else (np.nan, np.nan)
                kind = "own" if own else "other"
                rows.append((f"{name} heads, {title}", attribute, 100 * fall, kind, *ends))
    found = pd.DataFrame(rows, columns=["row", "attribute", "points", "kind", "low", "high"])
    # The own attribute last, so that it is drawn over the others.
    return found.sort_values("kind", key=lambda kind: kind == "own", kind="stable", ignore_index=True)


@cached.kept(max_entries=32)
def text_curves(source: Source, effect: str) -> tuple[pd.DataFrame, list[str]]:
    """Accuracy by attribute over the texts kept of every head, the model as it is last; and the axis."""
    table = mean_ablation(source)
    mine = table[table["effect"].isin(["", effect]) & (table["attribute"] != "")]
    kept = mine[mine["subject_kind"] == "texts"].assign(step=lambda rows: rows["k"].astype(str))
    whole = mine[mine["subject_kind"] == "nothing"].assign(step=AS_IT_IS)
    steps = [str(k) for k in sorted(kept["k"].unique())]
    return pd.concat([kept, whole])[["step", "attribute", "value"]], [*steps, AS_IT_IS]


@cached.kept(max_entries=32)
def accuracies(source: Source, effect: str) -> pd.DataFrame:
    """Accuracy under every intervention but the texts, by one effect."""
    table = mean_ablation(source)
    mine = table[table["effect"].isin(["", effect]) & (table["attribute"] != "")]
    return mine[mine["subject_kind"] != "texts"]
