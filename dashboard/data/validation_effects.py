"""Tables of the effects of mean-ablation, from `head_validation` and `validation_score`.

DataFrame in, DataFrame out; knows nothing of bundles or SQL.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dashboard.data.validation_tables import study, with_text
from db.layout import head_name

EFFECTS = {"forward": "forward pass", "direct": "direct effect"}
BEFORE_PROPERTIES = ("nothing", "early_heads", "mlps", "texts")


class Cost(NamedTuple):
    """Accuracy lost by mean-ablating a property's heads; negative for a gain, NaN if not measured."""

    own: float
    """Loss in the attribute of the property."""

    other: str
    """The other attribute with the largest loss; empty without one."""

    other_cost: float
    low: float
    """Range of the loss in the property's attribute over random sets of similar variance."""

    high: float


def mean_ablation(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """Returns one row per intervention, attribute and effect: zero-shot accuracy; texts for every k.

    In the order of the page: each property's heads, then the random sets of similar variance.
    """
    rows = study(scores, "mean_ablation", model_key)
    rows = with_text(rows[rows["measure"] == "accuracy"])
    first = {kind: place for place, kind in enumerate(BEFORE_PROPERTIES)}
    rows = rows.assign(
        place=rows["subject_kind"].map(first).fillna(len(first)),
        random=rows["subject_kind"] == "random_heads",
    ).sort_values(["place", "property", "random", "k", "attribute", "effect"], kind="stable")
    columns = ["subject_kind", "property", "subject", "k", "attribute", "effect"]
    return rows[[*columns, "value", "low", "high", "chance", "count"]].reset_index(drop=True)


def accuracies(scores: pd.DataFrame, model_key: str, effect: str = "forward") -> pd.DataFrame:
    """Returns one row per intervention, one column per attribute: zero-shot accuracy; texts for every k."""
    rows = mean_ablation(scores, model_key)
    rows = rows[rows["effect"].isin(["", effect]) & (rows["attribute"] != "")]
    names = rows["subject"] + np.where(rows["k"] > 0, " k=" + rows["k"].astype(str), "")
    rows = rows.assign(intervention=names)
    table = rows.pivot_table(index=["intervention", "k"], columns="attribute", values="value", sort=False)
    return table.sort_index(axis="columns").reset_index().rename_axis(columns=None)


def properties(rows: pd.DataFrame) -> list[str]:
    """Returns the properties whose heads were mean-ablated, from rows of `mean_ablation`."""
    return rows.loc[rows["subject_kind"] == "property", "property"].unique().tolist()


def cost(rows: pd.DataFrame, property: str, effect: str) -> Cost:
    """Returns the cost of mean-ablating a property's heads, by one effect, from rows of `mean_ablation`."""
    fall = falls(rows, property, effect)
    others = fall.drop(labels=[property], errors="ignore")
    before = _accuracy(rows, "nothing", effect)["value"]
    low, high = _ends(_accuracy(rows, "random_heads", effect, property), property)
    return Cost(
        own=float(fall.get(property, np.nan)),
        other=str(others.idxmax()) if len(others) else "",
        other_cost=float(others.max()) if len(others) else np.nan,
        low=float(before.get(property, np.nan) - high),
        high=float(before.get(property, np.nan) - low),
    )


def _ends(random: pd.DataFrame, attribute: str) -> tuple[float, float]:
    """Returns the range of random sets; a single set is its own range."""
    if attribute not in random.index:
        return np.nan, np.nan
    value, *ends = random.loc[attribute, ["value", "low", "high"]].to_numpy(float)
    low, high = (value if np.isnan(end) else end for end in ends)
    return float(low), float(high)


def falls(rows: pd.DataFrame, property: str, effect: str) -> pd.Series:
    """Returns the accuracy lost in every attribute without a property's heads."""
    before, after = _accuracy(rows, "nothing", effect), _accuracy(rows, "property", effect, property)
    return (before["value"] - after["value"]).dropna()


def _accuracy(rows: pd.DataFrame, kind: str, effect: str, property: str | None = None) -> pd.DataFrame:
    """Returns accuracy by attribute under one intervention; rows without an effect hold for both effects."""
    rows = rows[(rows["subject_kind"] == kind) & (rows["attribute"] != "")]
    rows = rows if property is None else rows[rows["property"] == property]
    of_effect = rows[rows["effect"] == effect]
    return (of_effect if len(of_effect) else rows[rows["effect"] == ""]).set_index("attribute")


def head_verdicts(effects: pd.DataFrame, heads: pd.DataFrame, properties: Collection[str]) -> pd.DataFrame:
    """Returns one row per head: the attribute it acts on, its label, and their agreement.

    `effects` are rows of `head_validation`. `acts_on` is the attribute whose zero-shot margin falls most, by
    a forward pass, if the head is mean-ablated; None if no margin falls. `lead` is that fall minus the next
    attribute's. `properties` are those of the pool: no label names another attribute.
    """
    falls = effects.dropna(subset=["forward"]).sort_values("forward", ascending=False, kind="stable")
    groups = dict(list(falls.groupby(["layer", "head"], sort=False)))
    rows = [(head, groups.get((head.layer, head.head))) for head in heads.itertuples()]
    return pd.DataFrame([_verdict(head, group, properties) for head, group in rows if group is not None])


def _verdict(head: Any, falls: pd.DataFrame, properties: Collection[str]) -> dict[str, Any]:
    top = falls.iloc[0]
    acts_on = top["attribute"] if top["forward"] > 0 else None
    label = head.label if isinstance(head.label, str) else None
    by_direct = falls.dropna(subset=["direct"]).sort_values("direct", ascending=False, kind="stable")
    by_selectivity = falls.dropna(subset=["selectivity"]).sort_values("selectivity", ascending=False)
    return {
        "name": head_name(head.layer, head.head),
        "layer": head.layer,
        "head": head.head,
        "acts_on": acts_on,
        "label": label,
        "verdict": _agreement(acts_on, label, head.supported, properties),
        "fall": top["forward"],
        "lead": top["forward"] - falls["forward"].iloc[1] if len(falls) > 1 else np.nan,
        "direct_acts_on": by_direct["attribute"].iloc[0] if len(by_direct) else None,
        "direct_fall": top["direct"],
        "varies_with": by_selectivity["attribute"].iloc[0] if len(by_selectivity) else None,
        "selectivity": by_selectivity["selectivity"].iloc[0] if len(by_selectivity) else np.nan,
        "images": top["images"],
    }


def _agreement(
    acts_on: str | None, label: str | None, supported: bool | None, properties: Collection[str]
) -> str:
    """Returns right, wrong, unsupported (no claim), no effect, or no word (no label names the attribute)."""
    if acts_on is None:
        return "no effect"
    if acts_on not in properties:
        return "no word"
    if label is None or supported is False:
        return "unsupported"
    return "right" if label == acts_on else "wrong"
