"""Tables of labels, maps and neighbors from `validation_score`, for the page and the report.

DataFrame in, DataFrame out; knows nothing of bundles or SQL. Values are shares, as stored, not per cent.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from db.layout import head_name

Method = tuple[str, int]
"""A labeling method, and the number of first texts it reads."""

EVIDENCE = {
    "right": "forward pass",
    "right_by_direct": "direct effect",
    "right_by_selectivity": "selectivity",
}
"""Evidence that a head acts on an attribute, by measure: largest fall of its margin, or largest ε²."""

MAP_KINDS = ("all_heads", "stored_layers", "property", "best_head", "rival")
"""Kinds of maps in the order of the page: all heads first, maps that ignore the text last."""

COMMONEST = ("commonest", 0)


def subject_text(row: Any) -> str:
    """Returns the subject of a score in words: property color, L11.H3, random like color, rollout."""
    head = "" if pd.isna(row.layer) else head_name(int(row.layer), int(row.head))
    method = str(row.method).replace("_", " ")
    texts = {
        "property": f"property {row.property}",
        "random_heads": f"random like {row.property}",
        "head": head,
        "best_head": f"best head {head}",
        "label_method": f"{method}, first {row.k} texts",
        "rival": method,
        "baseline": method,
        "mlps": "MLPs",
    }
    return texts.get(row.subject_kind, row.subject_kind.replace("_", " "))


def with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows with a column `subject`, their subjects in words."""
    return rows.assign(subject=[subject_text(row) for row in rows.itertuples()])


def model_keys(scores: pd.DataFrame) -> list[str]:
    """Returns the scored models, each followed by its controls."""
    models = scores.drop_duplicates("model_key")
    names = models.set_index("model_key")["model"]
    return [key for model in originals(scores) for key in (model, *_controls(models, names[model]))]


def originals(scores: pd.DataFrame) -> list[str]:
    """Returns the scored models without their controls."""
    models = scores.drop_duplicates("model_key")
    return models.loc[~models["control_of"].isin(models["model"]), "model_key"].tolist()


def control_key_of(scores: pd.DataFrame, model_key: str) -> str:
    """Returns the scored random-weights control of a model, or an empty string."""
    models = scores.drop_duplicates("model_key")
    names = models.loc[models["model_key"] == model_key, "model"]
    return next((key for name in names for key in _controls(models, name)), "")


def _controls(models: pd.DataFrame, model: str) -> list[str]:
    return models.loc[models["control_of"] == model, "model_key"].tolist()


def names_of(scores: pd.DataFrame) -> dict[str, str]:
    """Returns names of models by key, controls marked."""
    models = scores.drop_duplicates("model_key")
    return {row.model_key: row.model + " (control)" * bool(row.is_control) for row in models.itertuples()}


def study(scores: pd.DataFrame, name: str, model_key: str | None = None) -> pd.DataFrame:
    """Returns the scores of one study, of one model or of all models."""
    rows = scores[scores["study"] == name]
    return rows if model_key is None else rows[rows["model_key"] == model_key]


def labels(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per model, evidence and method: the share of right labels, beside three baselines.

    `right`, `strong` (over `strong_heads`, which act on one attribute above all), `sure` (over `sure_heads`,
    those of them whose target is significant) and `supported` (over `supported_heads`, with a supported
    label) are shares of the heads of an attribute, mean over attributes; `hits` of `heads` is the plain
    count. `chance` is the share with the same labels permuted, `commonest` with the most frequent label for
    every head, `control` by the same method on random weights.
    """
    rows = study(scores, "labels")
    whole = rows[rows["attribute"] == ""]
    cells = {(row.model_key, row.measure, (row.method, row.k)): row for row in whole.itertuples()}
    names, hits, methods = names_of(scores), _hits(rows), methods_of(whole)
    control_keys = {key: control_key_of(scores, key) for key in names}
    table = [
        {"model_key": key, "model": names[key], "evidence": evidence, "method": title}
        | _label_row(cells, hits, key, control_keys[key], measure, method)
        for key in model_keys(whole)
        for measure, evidence in EVIDENCE.items()
        for method, title in methods.items()
        if (key, measure, method) in cells
    ]
    return pd.DataFrame(table)


def methods_of(rows: pd.DataFrame) -> dict[Method, str]:
    """Returns the labeling methods in words, first the method whose label pages show."""
    rows = rows[rows["subject_kind"] == "label_method"].drop_duplicates(["method", "k"])
    methods = {(row.method, row.k): subject_text(row) for row in rows.itertuples()}
    order = sorted(methods, key=lambda method: (method[0] != "variance_share", *method))
    return {method: methods[method] for method in order}


def in_brief(table: pd.DataFrame, keys: Collection[str]) -> pd.DataFrame:
    """Returns rows of `labels`: the first method by all evidence, others by the first evidence."""
    if table.empty:
        return table
    first, shown = table["evidence"].iloc[0], table["method"].iloc[0]
    brief = (table["evidence"] == first) | (table["method"] == shown)
    return table[table["model_key"].isin(keys) & brief]


def _label_row(
    cells: dict, hits: dict, key: str, control_key: str, measure: str, method: Method
) -> dict[str, float]:
    """Returns the numbers of one labeling method of one model by one kind of evidence."""

    def number(measure: str, method: Method = method, key: str = key, name: str = "value") -> float:
        row = cells.get((key, measure, method))
        return np.nan if row is None else float(getattr(row, name))

    parts = {"": "", "strong": "_strong", "sure": "_strong_sure", "supported": "_supported"}
    shares = {title or "right": number(measure + part) for title, part in parts.items()}
    counts = {
        f"{title}_heads".strip("_"): number(measure + part, name="count") for title, part in parts.items()
    }
    baselines = {
        "chance": number(measure, name="chance"),
        "commonest": number(measure, COMMONEST),
        "control": number(measure, key=control_key),
    }
    return shares | counts | baselines | {"hits": hits[key, measure, method]}


def _hits(rows: pd.DataFrame) -> dict[tuple[str, str, Method], float]:
    """Returns the number of right labels over all attributes, by model, measure and method."""
    rows = rows[rows["attribute"] != ""]
    right = rows.assign(right=rows["value"] * rows["count"]).groupby(["model_key", "measure", "method", "k"])
    sums = right["right"].sum().round()
    return {(key, measure, (method, k)): hits for (key, measure, method, k), hits in sums.items()}


def maps(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per model, measure and kind of map: the precision of maps on the named object."""
    rows = study(scores, "maps")
    rows = with_text(rows[rows["attribute"] == ""])
    order = {key: place for place, key in enumerate(model_keys(scores))}
    rows = rows.assign(
        place=rows["model_key"].map(order),
        order=rows["subject_kind"].map(MAP_KINDS.index),
        kind=rows["is_control"].map({True: "control", False: "model"}),
        model=rows["model_key"].map(names_of(scores)),
    ).sort_values(["place", "order", "subject", "measure"], kind="stable", ignore_index=True)
    columns = ["model_key", "measure", "subject_kind", "subject", "value", "low", "high", "chance", "count"]
    return rows[[*columns, "kind", "model"]]


def measures(table: pd.DataFrame) -> dict[str, str]:
    """Returns titles of the measures of a table of `maps`."""
    return {name: name.replace("_", " ").capitalize() for name in sorted(table["measure"].unique())}


def neighbors(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """Returns one row per space, similarity and attribute; `gain` is precision minus chance.

    First the whole embedding, then properties, then heads. The embedding has one similarity: its `by` is
    empty.
    """
    rows = study(scores, "neighbors", model_key)
    rows = with_text(rows[rows["attribute"] != ""]).rename(columns={"subject": "space"})
    kinds = {"embedding": 0, "property": 1, "head": 2}
    rows = rows.assign(
        by=rows["comparison"].mask(rows["subject_kind"] == "embedding", ""),
        gain=rows["value"] - rows["chance"],
        place=rows["subject_kind"].map(kinds),
    ).sort_values(["place", "layer", "head", "space", "by", "attribute"], ignore_index=True)
    columns = ["attribute", "k", "value", "chance", "count", "space", "by", "gain"]
    return rows[["subject_kind", "property", *columns]]


def nearest(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """Returns one row per attribute: the head with the best precision, beside embedding and chance."""
    table = []
    for attribute, rows in neighbors(scores, model_key).groupby("attribute", sort=False):
        heads = rows[rows["subject_kind"] == "head"].dropna(subset=["value"])
        if len(heads):
            best = heads.loc[heads["value"].idxmax()]
            table.append(
                {
                    "attribute": attribute,
                    "best_head": f"{best['space']} {best['by']}",
                    "precision": best["value"],
                    "embedding": rows.loc[rows["subject_kind"] == "embedding", "value"].max(),
                    "chance": best["chance"],
                    "heads": heads["space"].nunique(),
                }
            )
    return pd.DataFrame(table)
