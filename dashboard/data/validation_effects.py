"""What removing parts of a model does: `head_truth`, and ablation of `truth_score`, shaped to be read.

For a page and for print alike. DataFrame in, DataFrame out; knows nothing of bundles or SQL.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from dashboard.data.validation_tables import PROPERTY, study
from db.layout import head_name

EFFECTS = {"forward": "forward pass", "direct": "direct effect"}
RANDOM = "random like "
BEFORE_PROPERTIES = ("nothing", "early heads", "MLPs", "texts")


class Cost(NamedTuple):
    """What removing a property's heads costs, in accuracy; negative is a gain, NaN what was not asked."""

    own: float
    """In the attribute of the property's name."""

    other: str
    """The other attribute that loses most; empty where there is none."""

    other_cost: float
    low: float
    """Random sets of as many heads cost its own attribute from `low` to `high`."""

    high: float


def ablation(scores: pd.DataFrame, model_key: str) -> pd.DataFrame:
    """One row per intervention, attribute and effect: zero-shot accuracy. Texts stand for every k."""
    rows = study(scores, "ablation", model_key)
    rows = rows[rows["measure"] == "accuracy"]
    order = {subject: place for place, subject in enumerate(_interventions(rows["subject"].unique()))}
    rows = rows.assign(place=rows["subject"].map(order)).sort_values(
        ["place", "k", "attribute", "effect"], kind="stable"
    )
    return rows[
        ["subject", "k", "attribute", "effect", "value", "low", "high", "chance", "count"]
    ].reset_index(drop=True)


def accuracies(scores: pd.DataFrame, model_key: str, effect: str = "forward") -> pd.DataFrame:
    """One row per intervention, one column per attribute: zero-shot accuracy; texts at every k."""
    found = ablation(scores, model_key)
    found = found[found["effect"].isin(["", effect]) & (found["attribute"] != "")]
    names = found["subject"] + np.where(found["k"] > 0, " k=" + found["k"].astype(str), "")
    cells = {(n, a): v for n, a, v in zip(names, found["attribute"], found["value"], strict=True)}
    table = {"intervention": names.unique()}
    for attribute in sorted(found["attribute"].unique()):
        table[attribute] = [cells.get((name, attribute), np.nan) for name in table["intervention"]]
    return pd.DataFrame(table)


def _interventions(subjects: Iterable[str]) -> list[str]:
    """Interventions in the order of the page: each property's heads, then the random sets like them."""
    found = list(subjects)
    first = [subject for subject in BEFORE_PROPERTIES if subject in found]
    named = sorted(subject for subject in found if subject.startswith(PROPERTY))
    paired = [one for name in named for one in (name, RANDOM + name.removeprefix(PROPERTY)) if one in found]
    return first + paired + sorted(set(found) - set(first) - set(paired))


def properties(found: pd.DataFrame) -> list[str]:
    """Properties whose heads were removed, of `ablation` rows."""
    named = found.loc[found["subject"].str.startswith(PROPERTY), "subject"].unique()
    return [subject.removeprefix(PROPERTY) for subject in named]


def cost(found: pd.DataFrame, property: str, effect: str) -> Cost:
    """What removing a property's heads costs by one effect, of `ablation` rows."""
    fall = falls(found, property, effect)
    others = fall.drop(labels=[property], errors="ignore")
    before = _accuracy(found, "nothing", effect)["value"]
    low, high = _ends(_accuracy(found, RANDOM + property, effect), property)
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


def falls(found: pd.DataFrame, property: str, effect: str) -> pd.Series:
    """Accuracy lost in every attribute without a property's heads, of `ablation` rows."""
    before, after = (_accuracy(found, subject, effect) for subject in ("nothing", PROPERTY + property))
    return (before["value"] - after["value"]).dropna()


def _accuracy(found: pd.DataFrame, subject: str, effect: str) -> pd.DataFrame:
    """Accuracy by attribute under one intervention; what holds for both effects may stand under neither."""
    rows = found[(found["subject"] == subject) & (found["attribute"] != "")]
    mine = rows[rows["effect"] == effect]
    return (mine if len(mine) else rows[rows["effect"] == ""]).set_index("attribute")


def head_verdicts(truth: pd.DataFrame, heads: pd.DataFrame, properties: Collection[str]) -> pd.DataFrame:
    """One row per head: what it acts on, what its label says, and whether they agree.

    `acts_on` is the attribute whose zero-shot margin falls most, by a forward pass, when the head is held at
    its mean; none where nothing falls. `lead` is that fall less the next attribute's. `properties` are those
    of the pool: a head that acts on anything else cannot be named.
    """
    rows = []
    for head in heads.itertuples():
        mine = truth[(truth["layer"] == head.layer) & (truth["head"] == head.head)]
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
