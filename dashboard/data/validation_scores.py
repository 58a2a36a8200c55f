"""What the truth scores of a bundle hold, as tables for the truth page; kept with `data.kept`."""

import numpy as np
import pandas as pd

from dashboard.data import cached, validation_effects, validation_tables
from dashboard.data.types import Source

SECTIONS = {
    "labels": "Labels",
    "heads": "Head by head",
    "maps": "Maps",
    "neighbors": "Neighbors",
    "ablation": "Removing heads",
    "texts": "Texts for heads",
}
STUDIES = {"texts": "ablation"}
"""The study that a section reads, where it is not of its name."""

MEASURES = {
    "contrast": "Contrast",
    "caption": "Caption",
    "average_precision": "Average precision",
}
"""What maps are scored by, in the order of the page."""

AS_IT_IS = "all of it"
"""Where the unchanged model stands on an axis of texts kept."""


def missing(source: Source, section: str) -> str:
    """Why a section has nothing to show, and what to do; empty where it has."""
    study = STUDIES.get(section, section)
    scores = cached.query(source.bundle, "truth_scores")
    found = (
        cached.of_model(source, "head_truth")
        if section == "heads"
        else validation_tables.study(scores, study, source.key)
    )
    if len(found) and section == "labels" and labels(source).empty:
        return "No head of any model acts on an attribute that a label could name, so no label can be right."
    if len(found):
        return ""
    if section == "maps":
        return (
            "No map of this model was scored. Build the bundle with `python -m precompute run --truth` and "
            "`--masks masks.csv`; that file has the columns path, mask, object and caption, two rows a "
            "picture. For scenes of the demo, `python -m precompute.demo scenes --kinds 2 --masks` writes it."
        )
    return (
        "This was not scored for this model. Build the bundle with `python -m precompute run --truth`, "
        "`--metadata attributes.csv` for what the images are and `--prompts prompts.tsv` for how to ask."
    )


def head_rank(source: Source) -> int:
    """Dimensions of a head; of the largest where they differ."""
    return int(cached.heads(source)["rank"].max())


def pair(source: Source) -> tuple[str, str]:
    """The chosen model and its twin; where a twin is chosen, the model that it is of, and it."""
    scores = cached.query(source.bundle, "truth_scores")
    names = scores.drop_duplicates("model_key").set_index("model")["model_key"]
    model_key = names.get(source.info.control_of, source.key)
    return model_key, validation_tables.twin_of(scores, model_key)


def label_pairs(source: Source) -> pd.DataFrame:
    """The label that pages show, by the first truth: one row per model and one for its twin, in per cent."""
    table, scores = labels(source), cached.query(source.bundle, "truth_scores")
    shown = table[(table["truth"] == table["truth"].iloc[0]) & (table["method"] == table["method"].iloc[0])]
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
    """Maps of the chosen model and of its twin; the best heads of both in one row, though they differ."""
    model_key, twin = pair(source)
    found = maps(source)
    found = found[found["model_key"].isin([model_key, twin])]
    subject = found["subject"].str.replace(r"^best head .*", "best head", regex=True)
    kind = found["model_key"].map({model_key: "model", twin: "control"})
    order = subject.map(validation_tables.map_order)
    return found.assign(subject=subject, kind=kind, order=order).sort_values(
        ["order", "subject"], kind="stable"
    )


@cached.kept(max_entries=16)
def labels(source: Source) -> pd.DataFrame:
    """One row per model and way to label: the shares of heads that are named rightly."""
    return validation_tables.labels(cached.query(source.bundle, "truth_scores"))


@cached.kept(max_entries=16)
def heads(source: Source) -> pd.DataFrame:
    """One row per head of the model: what it acts on, its label, and whether they agree."""
    properties = set(cached.of_model(source, "properties")["property"])
    return validation_effects.head_verdicts(
        cached.of_model(source, "head_truth"), cached.heads(source), properties
    )


@cached.kept(max_entries=16)
def maps(source: Source) -> pd.DataFrame:
    """One row per model, measure and kind of map."""
    return validation_tables.maps(cached.query(source.bundle, "truth_scores"))


@cached.kept(max_entries=16)
def neighbors(source: Source) -> pd.DataFrame:
    """One row per space, way to compare and attribute."""
    return validation_tables.neighbors(cached.query(source.bundle, "truth_scores"), source.key)


@cached.kept(max_entries=16)
def nearest(source: Source) -> pd.DataFrame:
    """One row per attribute: the head whose neighbors share it most."""
    return validation_tables.nearest(cached.query(source.bundle, "truth_scores"), source.key)


@cached.kept(max_entries=16)
def ablation(source: Source) -> pd.DataFrame:
    """One row per intervention, attribute and effect."""
    return validation_effects.ablation(cached.query(source.bundle, "truth_scores"), source.key)


@cached.kept(max_entries=16)
def removals(source: Source) -> pd.DataFrame:
    """One row per property, effect and attribute: points of accuracy that removing its heads costs."""
    table, rows = ablation(source), []
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
    table = ablation(source)
    mine = table[table["effect"].isin(["", effect]) & (table["attribute"] != "")]
    kept = mine[mine["subject"] == "texts"].assign(step=lambda rows: rows["k"].astype(str))
    whole = mine[mine["subject"] == "nothing"].assign(step=AS_IT_IS)
    steps = [str(k) for k in sorted(kept["k"].unique())]
    return pd.concat([kept, whole])[["step", "attribute", "value"]], [*steps, AS_IT_IS]


@cached.kept(max_entries=32)
def accuracies(source: Source, effect: str) -> pd.DataFrame:
    """Accuracy under every intervention but the texts, by one effect."""
    table = ablation(source)
    mine = table[table["effect"].isin(["", effect]) & (table["attribute"] != "")]
    return mine[mine["subject"] != "texts"]
