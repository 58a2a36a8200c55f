"""Tables of the page *Validation*, cached with `cached.kept`."""

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
"""Studies of sections with another name."""

UNCHANGED = "all of it"
"""Position of the unchanged model on the axis of texts."""


def scores(source: Source) -> pd.DataFrame:
    """Returns the validation scores of all models of the bundle."""
    return cached.query(source.bundle, "validation_scores")


def has_validation(source: Source) -> bool:
    """Returns True if the bundle has validation scores of any model."""
    return len(scores(source)) > 0


def missing(source: Source, section: str) -> str:
    """Returns the reason why a section is empty, with the next step; empty if the section has rows."""
    if section == "heads":
        rows = cached.of_model(source, "head_validation")
    else:
        rows = validation_tables.study(scores(source), STUDIES.get(section, section), source.key)
    if len(rows) and section == "labels" and labels(source).empty:
        return "No head of any model acts on an attribute that a label could name, so no label can be right."
    if len(rows):
        return ""
    if section == "maps":
        return (
            "This bundle has no map scores of this model. Build the bundle with `headlight run "
            "--validation` and `--masks masks.csv`; that file has the columns path, mask, object and "
            "caption, two rows a picture. For scenes of the demo, `python -m precompute.demo scenes --kinds "
            "2 --masks` writes it."
        )
    return (
        "This bundle has no such scores of this model. Build the bundle with `headlight run --validation "
        "--metadata attributes.csv --prompts prompts.tsv`: attributes of the images, and their prompts. For "
        "the demo bundle, use `headlight demo --replace --validation`."
    )


def head_rank(source: Source) -> int:
    """Returns the number of dimensions of a head, the largest if heads differ."""
    return int(cached.heads(source)["rank"].max())


def pair(source: Source) -> tuple[str, str]:
    """Returns the keys of the chosen model, or of the chosen control's model, and of its control."""
    rows = scores(source)
    names = rows.drop_duplicates("model_key").set_index("model")["model_key"]
    model_key = names.get(source.info.control_of, source.key)
    return model_key, validation_tables.control_key_of(rows, model_key)


def label_pairs(source: Source) -> pd.DataFrame:
    """Returns the accuracy of the label that pages show: rows of models and of controls, in per cent."""
    table, rows = labels(source), scores(source)
    first = table[["evidence", "method"]].iloc[0]
    shown = table[(table[["evidence", "method"]] == first).all(axis=1)]
    control_of = rows.drop_duplicates("model_key").set_index("model_key")["control_of"]
    originals = shown["model_key"].map(control_of)
    is_control = originals.isin(rows["model"])
    values = {"value": 100 * shown["right"], "chance": 100 * shown["chance"], "low": np.nan, "high": np.nan}
    kind = is_control.map({True: "control", False: "model"})
    return shown.assign(subject=originals.where(is_control, shown["model"]), kind=kind, **values)


def map_pair(source: Source) -> pd.DataFrame:
    """Returns the map scores of the chosen model and its control, with their best heads in one row."""
    model_key, control_key = pair(source)
    rows = maps(source)
    rows = rows[rows["model_key"].isin([model_key, control_key])]
    subject = rows["subject"].mask(rows["subject_kind"] == "best_head", "best head")
    kind = rows["model_key"].map({model_key: "model", control_key: "control"})
    order = rows["subject_kind"].map(validation_tables.MAP_KINDS.index)
    rows = rows.assign(subject=subject, kind=kind, order=order)
    return rows.sort_values(["order", "subject"], kind="stable")


@cached.kept(max_entries=16)
def labels(source: Source) -> pd.DataFrame:
    """Returns one row per model and labeling method: the shares of right labels."""
    return validation_tables.labels(scores(source))


@cached.kept(max_entries=16)
def heads(source: Source) -> pd.DataFrame:
    """Returns one row per head: the attribute it acts on, its label, and their agreement."""
    properties = set(cached.of_model(source, "properties")["property"])
    return validation_effects.head_verdicts(
        cached.of_model(source, "head_validation"), cached.heads(source), properties
    )


@cached.kept(max_entries=16)
def maps(source: Source) -> pd.DataFrame:
    """Returns one row per model, measure and kind of map."""
    return validation_tables.maps(scores(source))


@cached.kept(max_entries=16)
def neighbors(source: Source) -> pd.DataFrame:
    """Returns one row per space, similarity and attribute."""
    return validation_tables.neighbors(scores(source), source.key)


@cached.kept(max_entries=16)
def nearest(source: Source) -> pd.DataFrame:
    """Returns one row per attribute: the head whose neighbors share it most."""
    return validation_tables.nearest(scores(source), source.key)


@cached.kept(max_entries=16)
def mean_ablation(source: Source) -> pd.DataFrame:
    """Returns one row per intervention, attribute and effect."""
    return validation_effects.mean_ablation(scores(source), source.key)


@cached.kept(max_entries=16)
def property_costs(source: Source) -> pd.DataFrame:
    """Returns one row per property, effect and attribute: points of accuracy lost without its heads."""
    table, rows = mean_ablation(source), []
    for name in validation_effects.properties(table):
        for effect, title in validation_effects.EFFECTS.items():
            cost = validation_effects.cost(table, name, effect)
            for attribute, fall in validation_effects.falls(table, name, effect).items():
                kind = ("own", cost.low, cost.high) if attribute == name else ("other", np.nan, np.nan)
                rows.append((f"{name} heads, {title}", attribute, fall, *kind))
    costs = pd.DataFrame(rows, columns=["row", "attribute", "points", "kind", "low", "high"])
    costs[["points", "low", "high"]] *= 100
    # The property's attribute is last: it is drawn over the others.
    return costs.sort_values("kind", key=lambda kind: kind == "own", kind="stable", ignore_index=True)


@cached.kept(max_entries=32)
def text_curves(source: Source, effect: str) -> tuple[pd.DataFrame, list[str]]:
    """Returns accuracy by attribute over the number of texts, the unchanged model last, and the axis."""
    rows = _of_effect(source, effect)
    texts = rows[rows["subject_kind"] == "texts"].assign(step=lambda rows: rows["k"].astype(str))
    whole = rows[rows["subject_kind"] == "nothing"].assign(step=UNCHANGED)
    steps = [str(k) for k in sorted(texts["k"].unique())]
    return pd.concat([texts, whole])[["step", "attribute", "value"]], [*steps, UNCHANGED]


def accuracies(source: Source, effect: str) -> pd.DataFrame:
    """Returns the accuracy under every intervention except the texts, by one effect."""
    rows = _of_effect(source, effect)
    return rows[rows["subject_kind"] != "texts"]


def _of_effect(source: Source, effect: str) -> pd.DataFrame:
    rows = mean_ablation(source)
    return rows[rows["effect"].isin(["", effect]) & (rows["attribute"] != "")]
