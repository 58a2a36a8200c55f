"""What stands beside the metrics of models: their size and training, and what their components account for.

Reads `data`, knows nothing of Streamlit.
"""

from typing import NamedTuple

import pandas as pd

from dashboard.data import cached, label_text
from dashboard.data.leaderboard import MODEL, Leaderboard, one_metric
from dashboard.data.types import Source

BESIDE = {
    "parameters": "Parameters",
    "patch_size": "Patch size",
    "layers": "Layers",
    "training_data": "Training data",
}
UNITS = {
    "parameters": "parameters of both towers, millions (log scale)",
    "patch_size": "side of a patch, pixels",
    "layers": "layers of the vision transformer",
    "training_data": "training data",
}
NOT_SAID = "not said"

HEADS, ATTENTION, MLP, INPUT = "heads", "attention, heads not taken apart", "MLP", "input"
KINDS = {"head": HEADS, "attention": ATTENTION, "mlp": MLP, "input": INPUT}
"""How the page calls each kind of component, in the order they are stacked."""


class Beside(NamedTuple):
    """One metric against one fact of the models."""

    points: pd.DataFrame
    """One row per line of the leaderboard that has both: columns of `one_metric`, and x."""

    left_out: list[str]
    """Models that lack one of the two."""


def beside(leaderboard: Leaderboard, fact: str) -> Beside:
    """Controls stand where their model stands. Parameters in millions; training data that is not said too."""
    one = one_metric(leaderboard)
    facts = pd.Series({key: getattr(row, fact) for key, row in leaderboard.models.items()})
    if fact == "training_data":
        facts = facts.astype(object).where(facts.notna(), NOT_SAID)
    else:
        facts = facts.astype(float) / (1e6 if fact == "parameters" else 1)
    points = one.assign(x=one["under"].map(facts))
    here = points["value"].notna() & points["x"].notna()
    gone = points.loc[~here & (points["part"] == MODEL), "model"]
    return Beside(points[here].reset_index(drop=True), gone.tolist())


def coverage(source: Source) -> pd.DataFrame:
    """One row per component of the chosen model, last layer first: row, kind, name, label, percent.

    Empty where the results were imported. Rows of the chart: L11, ..., L0, input.
    """
    found = cached.of_model(source, "component_shares")
    labels = {
        (row.layer, row.head): label_text.display_label(row) for row in cached.heads(source).itertuples()
    }
    rows = [
        (
            INPUT if pd.isna(one.layer) else f"L{int(one.layer)}",
            KINDS[one.kind],
            one.component.removeprefix("head "),
            labels.get((one.layer, one.head), "") if one.kind == "head" else "",
            100 * one.share,
        )
        for one in found.sort_values(
            ["layer", "head"], ascending=[False, True], na_position="last"
        ).itertuples()
    ]
    return pd.DataFrame(rows, columns=["row", "kind", "name", "label", "percent"])


def coverage_sums(parts: pd.DataFrame) -> pd.DataFrame:
    """One row per layer, and one for the input: attention, MLP, input and together, in per cent."""
    of_layer = parts.assign(of=parts["kind"].replace({HEADS: "attention", ATTENTION: "attention"}))
    sums = of_layer.pivot_table(index="row", columns="of", values="percent", aggfunc="sum", sort=False)
    columns = [name for name in ("attention", MLP, INPUT) if name in sums]
    return sums[columns].assign(together=sums.sum(axis=1)).reset_index()


def coverage_words(parts: pd.DataFrame) -> str:
    """What each kind accounts for over all layers, in per cent of the embedding's covariance."""
    sums = parts.groupby("kind")["percent"].sum()
    said = [f"{kind} {sums[kind]:.1f} %".replace("-", "−") for kind in KINDS.values() if kind in sums]
    return ", ".join(said)
