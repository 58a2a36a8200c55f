"""Effects of mean-ablation: `head_validation`, and mean_ablation of `validation_score`, as tables.

For the page and for print. DataFrame in, DataFrame out; knows nothing of bundles or SQL.
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
    """Accuracy lost by mean-ablating a property's heads; negative is a gain, NaN what was not asked."""

    own: float
    """In the attribute of the property's name."""

    other: str
    """The other attribute that loses most; empty where there is none."""

    other_cost: float
    low: float
    """Random sets of like variance cost its own attribute from `low` to `high`."""

    high: float


def mean_ablation(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """One row per intervention, attribute and effect: zero-shot accuracy. Texts stand for every k.

    In the order of the page: each property's heads, then the random sets like them.
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
    """One row per intervention, one column per attribute: zero-shot accuracy; texts at every k."""
    rows = mean_ablation(scores, model_key)
    rows = rows[rows["effect"].isin(["", effect]) & (rows["attribute"] != "")]
    names = rows["subject"] + np.where(rows["k"] > 0, " k=" + rows["k"].astype(str), "")
    cells = {(n, a): v for n, a, v in zip(names, rows["attribute"], rows["value"], strict=True)}
    kept = rows.assign(intervention=names).drop_duplicates("intervention")
    table = {"intervention": kept["intervention"], "k": kept["k"]}
    for attribute in sorted(rows["attribute"].unique()):
        table[attribute] = [cells.get((name, attribute), np.nan) for name in kept["intervention"]]
    return pd.DataFrame(table).reset_index(drop=True)


def properties(rows: pd.DataFrame) -> list[str]:
    """Properties whose heads were mean-ablated, of `mean_ablation` rows."""
    return rows.loc[rows["subject_kind"] == "property", "property"].unique().tolist()


def cost(rows: pd.DataFrame, property: str, effect: str) -> Cost:
    """Accuracy lost by mean-ablating a property's heads, by one effect, of `mean_ablation` rows."""
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


def _ends(drawn: pd.DataFrame, attribute: str) -> tuple[float, float]:
    """The range of random sets; one set alone is its own range."""
    if attribute not in drawn.index:
        return np.nan, np.nan
    value, *ends = drawn.loc[attribute, ["value", "low", "high"]].to_numpy(float)
    low, high = (value if np.isnan(end) else end for end in ends)
    return float(low), float(high)


def falls(rows: pd.DataFrame, property: str, effect: str) -> pd.Series:
    """Accuracy lost in every attribute without a property's heads, of `mean_ablation` rows."""
    before, after = _accuracy(rows, "nothing", effect), _accuracy(rows, "property", effect, property)
    return (before["value"] - after["value"]).dropna()


def _accuracy(rows: pd.DataFrame, kind: str, effect: str, property: str | None = None) -> pd.DataFrame:
    """Accuracy by attribute under one intervention; what holds for both effects may stand under neither."""
    rows = rows[(rows["subject_kind"] == kind) & (rows["attribute"] != "")]
    rows = rows if property is None else rows[rows["property"] == property]
    of_effect = rows[rows["effect"] == effect]
    return (of_effect if len(of_effect) else rows[rows["effect"] == ""]).set_index("attribute")


def head_verdicts(effects: pd.DataFrame, heads: pd.DataFrame, properties: Collection[str]) -> pd.DataFrame:
    """One row per head: what it acts on, what its label says, and whether they agree.

    `effects` are rows of `head_validation`. `acts_on` is the attribute whose zero-shot margin falls most, by
    a forward pass, when the head is mean-ablated; none where nothing falls. `lead` is that fall less the next
    attribute's. `properties` are those of the pool: a head that acts on anything else cannot be named.
    """
    rows = []
    for head in heads.itertuples():
        mine = effects[(effects["layer"] == head.layer) & (effects["head"] == head.head)]
        mine = mine.dropna(subset=["forward"]).sort_values("forward", ascending=False, kind="stable")
        if len(mine):
            rows.append(_verdict(head, mine, properties))
    return pd.DataFrame(rows)


def _verdict(head: Any, mine: pd.DataFrame, properties: Collection[str]) -> dict[str, Any]:
    top = mine.iloc[0]
    acts_on = top["attribute"] if top["forward"] > 0 else None
    label = head.label if isinstance(head.label, str) else None
    by_direct = mine.dropna(subset=["direct"]).sort_values("direct", ascending=False, kind="stable")
    by_selectivity = mine.dropna(subset=["selectivity"]).sort_values("selectivity", ascending=False)
    return {
        "name": head_name(head.layer, head.head),
        "layer": head.layer,
        "head": head.head,
        "acts_on": acts_on,
        "label": label,
        "verdict": _agreement(acts_on, label, head.supported, properties),
        "fall": top["forward"],
        "lead": top["forward"] - mine["forward"].iloc[1] if len(mine) > 1 else np.nan,
        "direct_acts_on": by_direct["attribute"].iloc[0] if len(by_direct) else None,
        "direct_fall": top["direct"],
        "varies_with": by_selectivity["attribute"].iloc[0] if len(by_selectivity) else None,
        "selectivity": by_selectivity["selectivity"].iloc[0] if len(by_selectivity) else np.nan,
        "images": top["images"],
    }


def _agreement(
    acts_on: str | None, label: str | None, supported: bool | None, properties: Collection[str]
) -> str:
    """right, wrong, unsupported (it claims nothing), no effect or no word (nothing to be right about)."""
    if acts_on is None:
        return "no effect"
    if acts_on not in properties:
        return "no word"
    if label is None or supported is False:
        return "unsupported"
    return "right" if label == acts_on else "wrong"
