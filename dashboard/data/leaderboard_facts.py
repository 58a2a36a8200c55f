"""Facts beside the metrics of models: size, training data, and shares of their components.

Reads `data`, knows nothing of Streamlit.
"""

import pandas as pd

from dashboard.data import cached, digits, label_text
from dashboard.data.leaderboard import MODEL, Leaderboard, one_metric
from dashboard.data.types import Source
from db.connection import Bundle

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
UNKNOWN = "unknown"

HEADS, ATTENTION, MLP, INPUT = "heads", "attention (not split into heads)", "MLP", "input"
KINDS = {"head": HEADS, "attention": ATTENTION, "mlp": MLP, "input": INPUT}
"""Names of the kinds of components, in stacking order."""


def flat_images(bundle: Bundle) -> str:
    """Returns a sentence on the images that use little of their range; empty if there are none."""
    images = cached.query(bundle, "image_set").iloc[0]
    if not images["flat"] > 0:  # NaN for imported results
        return ""
    return (
        f"{images['flat']:,.0f} of {images['images']:,} images use less than a tenth of their range: empty, "
        "or 12 bits stored in 16, which models see as nearly black."
    )


def beside(leaderboard: Leaderboard, fact: str) -> tuple[pd.DataFrame, list[str]]:
    """Returns one metric against one fact of the models, and the models that lack one of the two.

    One row per line with both: columns of `leaderboard.one_metric`, and x. Controls have the fact of their
    model. Parameters are in millions.
    """
    facts = pd.Series({key: getattr(row, fact) for key, row in leaderboard.models.items()})
    if fact == "training_data":
        facts = facts.astype(object).where(facts.notna(), UNKNOWN)
    else:
        facts = facts.astype(float) / (1e6 if fact == "parameters" else 1)
    points = one_metric(leaderboard).assign(x=lambda rows: rows["under"].map(facts))
    complete = points["value"].notna() & points["x"].notna()
    left_out = points.loc[~complete & (points["part"] == MODEL), "model"]
    return points[complete].reset_index(drop=True), left_out.tolist()


def coverage(source: Source) -> pd.DataFrame:
    """Returns one row per component of a model, last layer first: row, kind, name, label, percent.

    Empty for imported results, and if the embeddings of all images are equal. Rows of the chart: L11, ...,
    L0, input.
    """
    shares = cached.of_model(source, "component_shares").dropna(subset=["share"])
    shares = shares.sort_values(["layer", "head"], ascending=[False, True])
    heads = label_text.heads(source).itertuples()
    labels = {(row.layer, row.head): label_text.display_label(row) for row in heads}
    rows = [
        (
            INPUT if pd.isna(row.layer) else f"L{int(row.layer)}",
            KINDS[row.kind],
            row.component.removeprefix("head "),
            labels.get((row.layer, row.head), "") if row.kind == "head" else "",
            100 * row.share,
        )
        for row in shares.itertuples()
    ]
    return pd.DataFrame(rows, columns=["row", "kind", "name", "label", "percent"])


def coverage_sums(parts: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per layer and one for the input: attention, MLP, input and together, in per cent."""
    of_layer = parts.assign(of=parts["kind"].replace({HEADS: "attention", ATTENTION: "attention"}))
    sums = of_layer.pivot_table(index="row", columns="of", values="percent", aggfunc="sum", sort=False)
    columns = [name for name in ("attention", MLP, INPUT) if name in sums]
    return sums[columns].assign(together=sums.sum(axis=1)).reset_index()


def coverage_words(parts: pd.DataFrame) -> str:
    """Returns the share of each kind over all layers, in per cent of the embedding's covariance."""
    sums = parts.groupby("kind")["percent"].sum()
    kinds = [kind for kind in KINDS.values() if kind in sums]
    return ", ".join(f"{kind} {digits.number(sums[kind], '.1f')} %" for kind in kinds)
