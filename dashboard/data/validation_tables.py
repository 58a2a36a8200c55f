"""What the tool says set beside what is known: labels, maps and neighbors of `truth_score`, to be read.

For a page and for print alike. DataFrame in, DataFrame out; knows nothing of bundles or SQL. A model's twin
is the one whose `control_of` names it. Values stay as they are stored: shares, not per cent.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd

from db.layout import parse_head_name

TRUTHS = {
    "right": "forward pass",
    "right_by_direct": "direct effect",
    "right_by_selectivity": "selectivity",
}
"""What says which attribute a head is for: the largest fall of its margin, or the largest ε²; by measure."""

PROPERTY = "property "


def model_keys(scores: pd.DataFrame) -> list[str]:
    """Models that were scored, each followed by its twins."""
    models, names = scores.drop_duplicates("model_key"), names_of(scores, marked=False)
    return [one for key in originals(scores) for one in (key, *_twins(models, names[key]))]


def originals(scores: pd.DataFrame) -> list[str]:
    """Models that were scored, without the twins of any of them."""
    models = scores.drop_duplicates("model_key")
    return models.loc[~models["control_of"].isin(models["model"]), "model_key"].tolist()


def twin_of(scores: pd.DataFrame, model_key: str) -> str:
    """The twin of a model; empty where none was scored."""
    models = scores.drop_duplicates("model_key")
    names = models.loc[models["model_key"] == model_key, "model"]
    return next((key for name in names for key in _twins(models, name)), "")


def _twins(models: pd.DataFrame, model: str) -> list[str]:
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
    """One row per model, truth and method: how often labels are right, beside what needs no method.

    `right`, `strong` (over the `strong_heads` that go with one attribute above all), `sure` (over those
    `sure_heads` of them whose truth the sample of images decides) and `supported` (over the
    `supported_heads` whose label rotated heads do not reach) are shares of the heads of an attribute, the
    mean over attributes; `hits` of `heads` is the plain count. `chance` is what the same labels dealt out
    anew reach, `commonest` what naming every head alike does, `twin` the same method on random weights.
    """
    rows = study(scores, "labels")
    whole = rows[rows["attribute"] == ""]
    known = {(r.model_key, r.measure, r.subject): r for r in whole.itertuples()}
    names, hits, methods = names_of(scores), _hits(rows), methods_of(whole)
    twins = {key: twin_of(scores, key) for key in names}
    table = [
        {"model_key": key, "model": names[key], "truth": truth, "method": method}
        | _label_row(known, hits, key, twins[key], measure, subject)
        for key in model_keys(whole)
        for measure, truth in TRUTHS.items()
        for subject, method in methods.items()
        if (key, measure, subject) in known
    ]
    return pd.DataFrame(table)


def methods_of(rows: pd.DataFrame) -> dict[str, str]:
    """Ways to label as people name them, by subject; the one whose label pages show comes first."""
    found = [subject.rpartition(" ") for subject in rows["subject"].unique() if " " in subject]
    found.sort(key=lambda parts: (parts[0] != "variance_share", parts[0], int(parts[2])))
    return {f"{name} {k}": f"{name.replace('_', ' ')}, first {k} texts" for name, _, k in found}


def in_brief(table: pd.DataFrame, keys: Collection[str]) -> pd.DataFrame:
    """Rows of `labels` of some models: the shown label by every truth, other ways by the first only."""
    if table.empty:
        return table
    first, shown = table["truth"].iloc[0], table["method"].iloc[0]
    wanted = (table["truth"] == first) | (table["method"] == shown)
    return table[table["model_key"].isin(keys) & wanted]


def _label_row(known: dict, hits: dict, key: str, twin: str, measure: str, subject: str) -> dict[str, float]:
    """One way to label one model by one truth, in numbers."""

    def ask(measure: str, subject: str = subject, key: str = key, name: str = "value") -> float:
        row = known.get((key, measure, subject))
        return np.nan if row is None else float(getattr(row, name))

    supported = f"{measure}_supported"
    return {
        "right": ask(measure),
        "hits": hits[key, measure, subject],
        "heads": ask(measure, name="count"),
        "strong": ask(f"{measure}_strong"),
        "strong_heads": ask(f"{measure}_strong", name="count"),
        "sure": ask(f"{measure}_strong_sure"),
        "sure_heads": ask(f"{measure}_strong_sure", name="count"),
        "supported": ask(supported),
        "supported_heads": ask(supported, name="count"),
        "chance": ask(measure, name="chance"),
        "commonest": ask(measure, "commonest"),
        "twin": ask(measure, key=twin),
    }


def _hits(rows: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    """Heads that are labeled rightly, by model, measure and method: added up over attributes."""
    rows = rows[rows["attribute"] != ""]
    right = (rows["value"] * rows["count"]).groupby([rows["model_key"], rows["measure"], rows["subject"]])
    return right.sum().round().to_dict()


def maps(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per model, measure and kind of map: how well maps find the object they are asked for."""
    rows = study(scores, "maps")
    rows = rows[rows["attribute"] == ""]
    order = {key: place for place, key in enumerate(model_keys(scores))}
    kinds = [(order[row.model_key], map_order(row.subject)) for row in rows.itertuples()]
    rows = rows.assign(place=kinds).sort_values(["place", "subject", "measure"], kind="stable")
    columns = ["model_key", "measure", "subject", "value", "low", "high", "chance", "count"]
    kind = rows["is_control"].map({True: "control", False: "model"})
    return (
        rows[columns].assign(kind=kind, model=rows["model_key"].map(names_of(scores))).reset_index(drop=True)
    )


def map_order(subject: str) -> int:
    """Maps that hear the text first, from all heads to one; then those that do not."""
    starts = ("all heads", "stored layers", PROPERTY, "best head", "raw attention", "rollout", "uniform")
    return next((place for place, start in enumerate(starts) if subject.startswith(start)), len(starts))


def neighbors(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """One row per space, way to compare and attribute; `gain` is precision less chance.

    The whole embedding comes first, then properties, then heads. It is compared in one way only, so its `by`
    is empty.
    """
    rows = study(scores, "neighbors", model_key)
    rows = rows[rows["attribute"] != ""]
    space = rows["subject"].str.replace(r" (cosine|dot)$", "", regex=True)
    by = (
        rows["subject"].str.extract(r" (cosine|dot)$", expand=False).fillna("").mask(space == "embedding", "")
    )
    found = rows[["attribute", "k", "value", "chance", "count"]].assign(
        space=space, by=by, gain=rows["value"] - rows["chance"], place=space.map(_space_order)
    )
    return found.sort_values(["place", "by", "attribute"], ignore_index=True).drop(columns=["place"])


def _space_order(space: str) -> tuple[int, int, int, str]:
    head = parse_head_name(space)
    return (2, *head, "") if head else (int(space != "embedding"), 0, 0, space)


def nearest(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """One row per attribute: the head that finds it best, beside the whole embedding and chance."""
    found, table = neighbors(scores, model_key), []
    heads = found[[parse_head_name(space) is not None for space in found["space"]]]
    for attribute in found["attribute"].unique():
        mine = heads[heads["attribute"] == attribute].dropna(subset=["value"])
        whole = found[(found["attribute"] == attribute) & (found["space"] == "embedding")]
        if len(mine):
            best = mine.loc[mine["value"].idxmax()]
            table.append(
                {
                    "attribute": attribute,
                    "best_head": f"{best['space']} {best['by']}".strip(),
                    "precision": best["value"],
                    "embedding": whole["value"].max(),
                    "chance": best["chance"],
                    "heads": mine["space"].nunique(),
                }
            )
    return pd.DataFrame(table)
