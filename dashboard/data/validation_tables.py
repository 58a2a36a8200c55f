"""Labels, maps and neighbors of `validation_score` as tables, for the page and for print.

DataFrame in, DataFrame out; knows nothing of bundles or SQL. A model's random-weights control
is the one whose `control_of` names it. Values stay as they are stored: shares, not per cent.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from db.layout import head_name

Method = tuple[str, int]
"""A method of labels, and the number of first texts it reads."""

EVIDENCE = {
    "right": "forward pass",
    "right_by_direct": "direct effect",
    "right_by_selectivity": "selectivity",
}
"""By which a head acts on an attribute: the largest fall of its margin, or the largest ε²; by measure."""

MAP_KINDS = ("all_heads", "stored_layers", "property", "best_head", "rival")
"""Kinds of maps in the order of the page: those of all heads first, those that ignore the text last."""

COMMONEST = ("commonest", 0)


def subject_text(row: Any) -> str:
    """The subject of a score in words: property color, L11.H3, random like color, rollout."""
    head = "" if pd.isna(row.layer) else head_name(int(row.layer), int(row.head))
    match row.subject_kind:
        case "property":
            return f"property {row.property}"
        case "random_heads":
            return f"random like {row.property}"
        case "head":
            return head
        case "best_head":
            return f"best head {head}"
        case "label_method":
            return f"{row.method.replace('_', ' ')}, first {row.k} texts"
        case "rival" | "baseline":
            return row.method.replace("_", " ")
        case "mlps":
            return "MLPs"
    return row.subject_kind.replace("_", " ")


def with_text(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with their subjects in words as the column `subject`."""
    return rows.assign(subject=[subject_text(row) for row in rows.itertuples()])


def model_keys(scores: pd.DataFrame) -> list[str]:
    """Models that were scored, each followed by its controls."""
    models, names = scores.drop_duplicates("model_key"), names_of(scores, marked=False)
    return [one for key in originals(scores) for one in (key, *_controls(models, names[key]))]


def originals(scores: pd.DataFrame) -> list[str]:
    """Models that were scored, without the controls of any of them."""
    models = scores.drop_duplicates("model_key")
    return models.loc[~models["control_of"].isin(models["model"]), "model_key"].tolist()


def control_key_of(scores: pd.DataFrame, model_key: str) -> str:
    """The random-weights control of a model; empty where none was scored."""
    models = scores.drop_duplicates("model_key")
    names = models.loc[models["model_key"] == model_key, "model"]
    return next((key for name in names for key in _controls(models, name)), "")


def _controls(models: pd.DataFrame, model: str) -> list[str]:
    return models.loc[models["control_of"] == model, "model_key"].tolist()


def names_of(scores: pd.DataFrame, *, marked: bool = True) -> dict[str, str]:
    """Names of models by key, controls marked."""
    models = scores.drop_duplicates("model_key")
    return {
        row.model_key: row.model + " (control)" * bool(marked and row.is_control)
        for row in models.itertuples()
    }


def study(scores: pd.DataFrame, name: str, model_key: str | None = None) -> pd.DataFrame:
    """The scores of one study, of one model or of all."""
    found = scores[scores["study"] == name]
    return found if model_key is None else found[found["model_key"] == model_key]


def labels(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per model, evidence and method: how often labels are right, beside what needs no method.

    `right`, `strong` (over the `strong_heads` that go with one attribute above all), `sure` (over those
    `sure_heads` of them whose target the sample of images decides) and `supported` (over the
    `supported_heads` whose label rotated heads do not reach) are shares of the heads of an attribute, the
    mean over attributes; `hits` of `heads` is the plain count. `chance` is the share right if the same labels
    are permuted, `commonest` if every head has the commonest label, `control` by the same method on random
    weights.
    """
    rows = study(scores, "labels")
    whole = rows[rows["attribute"] == ""]
    known = {(r.model_key, r.measure, (r.method, r.k)): r for r in whole.itertuples()}
    names, hits, methods = names_of(scores), _hits(rows), methods_of(whole)
    control_keys = {key: control_key_of(scores, key) for key in names}
    table = [
        {"model_key": key, "model": names[key], "evidence": evidence, "method": title}
        | _label_row(known, hits, key, control_keys[key], measure, method)
        for key in model_keys(whole)
        for measure, evidence in EVIDENCE.items()
        for method, title in methods.items()
        if (key, measure, method) in known
    ]
    return pd.DataFrame(table)


def methods_of(rows: pd.DataFrame) -> dict[Method, str]:
    """Methods of labels in words; the one whose label pages show comes first."""
    rows = rows[rows["subject_kind"] == "label_method"].drop_duplicates(["method", "k"])
    methods = {(row.method, row.k): subject_text(row) for row in rows.itertuples()}
    order = sorted(methods, key=lambda method: (method[0] != "variance_share", *method))
    return {method: methods[method] for method in order}


def in_brief(table: pd.DataFrame, keys: Collection[str]) -> pd.DataFrame:
    """Rows of `labels` of some models: the shown label by all evidence, other methods by the first only."""
    if table.empty:
        return table
    first, shown = table["evidence"].iloc[0], table["method"].iloc[0]
    wanted = (table["evidence"] == first) | (table["method"] == shown)
    return table[table["model_key"].isin(keys) & wanted]


def _label_row(
    known: dict, hits: dict, key: str, control_key: str, measure: str, method: Method
) -> dict[str, float]:
    """One method of labels of one model by one kind of evidence, in numbers."""

    def number(measure: str, method: Method = method, key: str = key, name: str = "value") -> float:
        row = known.get((key, measure, method))
        return np.nan if row is None else float(getattr(row, name))

    supported = f"{measure}_supported"
    return {
        "right": number(measure),
        "hits": hits[key, measure, method],
        "heads": number(measure, name="count"),
        "strong": number(f"{measure}_strong"),
        "strong_heads": number(f"{measure}_strong", name="count"),
        "sure": number(f"{measure}_strong_sure"),
        "sure_heads": number(f"{measure}_strong_sure", name="count"),
        "supported": number(supported),
        "supported_heads": number(supported, name="count"),
        "chance": number(measure, name="chance"),
        "commonest": number(measure, COMMONEST),
        "control": number(measure, key=control_key),
    }


def _hits(rows: pd.DataFrame) -> dict[tuple[str, str, Method], float]:
    """Heads that are labeled rightly, by model, measure and method: the sum over attributes."""
    rows = rows[rows["attribute"] != ""]
    right = rows.assign(right=rows["value"] * rows["count"]).groupby(["model_key", "measure", "method", "k"])
    sums = right["right"].sum().round()
    return {(key, measure, (method, k)): hits for (key, measure, method, k), hits in sums.items()}


def maps(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per model, measure and kind of map: how well maps find the object they are asked for."""
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
    """Measures of a table of `maps`, with their titles."""
    return {name: name.replace("_", " ").capitalize() for name in sorted(table["measure"].unique())}


def neighbors(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """One row per space, comparison and attribute; `gain` is precision less chance.

    The whole embedding comes first, then properties, then heads. It is compared in one way only, so its `by`
    is empty.
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
    """One row per attribute: the head that finds it best, beside the whole embedding and chance."""
    every, table = neighbors(scores, model_key), []
    for attribute, rows in every.groupby("attribute", sort=False):
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
