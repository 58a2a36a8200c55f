"""Tables of the page Compare: paired heads of two models, and differences of metrics with intervals."""

from typing import Any

import numpy as np
import pandas as pd

from dashboard.analyses import differences
from dashboard.data import cached, choices, label_text
from dashboard.data.leaderboard import MAIN
from dashboard.data.types import Source
from dashboard.state.views import Head

PAIRINGS = {"best": "Best match", "place": "Same layer and head"}
OTHER_PLACE = {"layer": "other_layer", "head": "other_head"}


def other_source(source: Source, key: str) -> Source:
    """Returns the other model."""
    return cached.source(source.bundle, source.name, key)


def matches(source: Source, other: str, pairing: str) -> pd.DataFrame:
    """Returns the paired heads of two models, in the order of this model's heads."""
    return cached.of_model(source, "head_matches", other_model_key=other, pairing=pairing)


@cached.kept(max_entries=32)
def pairs(source: Source, other: str, pairing: str) -> pd.DataFrame:
    """Returns the paired heads with the names and shown labels of both, and whether these are the same."""
    table = matches(source, other, pairing)
    mine = _labels(source)
    theirs = _labels(other_source(source, other)).add_prefix("other_")
    table = table.drop(columns=["label", "other_label", "supported", "other_supported"])
    table = table.merge(mine, on=["layer", "head"]).merge(theirs, on=list(OTHER_PLACE.values()))
    return table.assign(same_label=table["label"].eq(table["other_label"]))


def partner(pairs: pd.DataFrame, head: Head) -> Head | None:
    """Returns the head of the other model that a head is paired with; None if there is none."""
    rows = pairs[pairs["layer"].eq(head[0]) & pairs["head"].eq(head[1])]
    return None if rows.empty else (int(rows["other_layer"].iloc[0]), int(rows["other_head"].iloc[0]))


def _labels(source: Source) -> pd.DataFrame:
    heads = label_text.heads(source)
    shown = [label_text.display_label(row) for row in heads.itertuples()]
    return heads[["layer", "head", "name", "label"]].assign(shown=shown)


@cached.kept(max_entries=32)
def model_differences(source: Source, other: str) -> pd.DataFrame:
    """Returns the difference of every metric of the models (this one - the other), with its interval."""
    sources = source, other_source(source, other)
    return differences.of_models(_both(sources, "leaderboard"), _both(sources, "replicate_metrics"))


def main_differences(source: Source, other: str) -> pd.DataFrame:
    """Returns the differences of the main metrics over all heads; of all metrics if it has none of these."""
    table = model_differences(source, other)
    table = table[table["heads_used"].eq("all")].dropna(subset=["difference"])
    if table["metric"].isin(MAIN).any():
        table = table[table["metric"].isin(MAIN)].assign(title=table["metric"].map(MAIN))
        table = table.iloc[table["metric"].map(list(MAIN).index).argsort()]
    return table.reset_index(drop=True)


@cached.kept(max_entries=32)
def head_differences(source: Source, other: str, pairing: str) -> pd.DataFrame:
    """Returns the difference of every metric with replicates between paired heads, and where it is sure."""
    sources, pairs = (source, other_source(source, other)), matches(source, other, pairing)
    return differences.of_heads(
        pairs, _both(sources, "head_metrics"), _both(sources, "replicate_head_metrics")
    )


def _both(sources: tuple[Source, Source], name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the result of a query about either model."""
    return cached.of_model(sources[0], name), cached.of_model(sources[1], name)


@cached.kept(max_entries=32)
def attribute_changes(source: Source, other: str, pairing: str) -> pd.DataFrame:
    """Returns one row per attribute: how many paired heads vary more, or less, with it than their partners.

    Pairs whose 95 % intervals of selectivity overlap count as neither. Columns attribute, pairs (those with
    intervals), more, less, value and other_value (means over pairs), the most one-sided change first.
    """
    mine, theirs = (cached.head_selectivity(model) for model in (source, other_source(source, other)))
    columns = ["attribute", "value", "low", "high"]
    pairs = matches(source, other, pairing)[["layer", "head", *OTHER_PLACE.values()]]
    theirs = theirs[["layer", "head", *columns]].rename(
        columns=OTHER_PLACE | {name: f"other_{name}" for name in columns[1:]}
    )
    table = pairs.merge(mine[["layer", "head", *columns]], on=["layer", "head"])
    table = table.merge(theirs, on=[*OTHER_PLACE.values(), "attribute"])
    table = table.assign(more=table["low"] > table["other_high"], less=table["high"] < table["other_low"])
    table = table.assign(pairs=table[["low", "other_low"]].notna().all(axis=1))
    counts = table.groupby("attribute", as_index=False).agg(
        pairs=("pairs", "sum"),
        more=("more", "sum"),
        less=("less", "sum"),
        value=("value", "mean"),
        other_value=("other_value", "mean"),
    )
    one_sided, changed = (counts["more"] - counts["less"]).abs(), counts["more"] + counts["less"]
    order = np.lexsort([-changed, -one_sided])
    return counts.iloc[order].reset_index(drop=True)


def metric_titles(source: Source, other: str) -> dict[str, str]:
    """Returns the titles of the metrics of heads that both models have."""
    theirs = choices.head_metric_titles(other_source(source, other))
    titles = choices.head_metric_titles(source)
    return {metric: title for metric, title in titles.items() if metric in theirs}


def differences_in(source: Source, other: str, pairing: str, metric: str) -> pd.DataFrame:
    """Returns the differences in one metric, sure ones first, then the largest, with names and labels."""
    table = head_differences(source, other, pairing)
    table = table[table["metric"] == metric].dropna(subset=["difference"])
    names = ["layer", "head", "name", "shown", "other_name", "other_shown", "cka"]
    table = table.merge(pairs(source, other, pairing)[names], on=["layer", "head"])
    order = table.assign(size=table["difference"].abs()).sort_values(["sure", "size"], kind="stable")
    return table.loc[order.index[::-1]].reset_index(drop=True)


def cells(source: Source, other: str, pairing: str) -> pd.DataFrame:
    """Returns one row per head for the grid: its partner, and the CKA with it; dim if it may be chance."""
    heads = label_text.heads(source)[["layer", "head", "name", "first_text"]]
    frame = heads.merge(
        pairs(source, other, pairing).drop(columns=["name"]), on=["layer", "head"], how="left"
    )
    return frame.assign(
        shown=frame["other_name"].fillna("–"),
        support=[_in_words(row) for row in frame.itertuples()],
        value=frame["cka"],
        low=None,
        high=None,
        passes=~frame["exceeds"].eq(False),
    )


def _in_words(row: Any) -> str:
    """Returns a match in words: both labels, and the null that it is compared with."""
    if not isinstance(row.other_name, str):
        return "no head of the other model is left for it"
    labels = f"{row.label} → {row.other_shown}"
    if pd.isna(row.control_cka):
        return labels
    return f"{labels}; with a control at most {row.control_cka:.2f} (p = {row.control_p:.2g})"


def transitions(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the number of pairs by the labels of both heads, by label."""
    counts = table.groupby(["label", "other_label"]).size().rename("pairs").reset_index()
    return counts.sort_values(["label", "other_label"], ignore_index=True)


def spaces(source: Source, table: pd.DataFrame) -> str:
    """Returns how near the spaces that paired heads write to are, in a sentence; empty if unknown."""
    if table["overlap"].isna().all():
        return ""
    random = cached.heads(source)["rank"].mean() / source.info.d_out
    return (
        f"The spaces that two paired heads can write to overlap by {table['overlap'].mean():.2f} on average "
        f"(random: {random:.2f}); the median angle between them is {table['median_angle'].mean():.0f}°."
    )


def summary(table: pd.DataFrame) -> str:
    """Returns the number of pairs above their nulls, and with the same label, in a sentence."""
    same = f"{int(table['same_label'].sum())} of {len(table)} pairs have the same label"
    tested = table["exceeds"].notna()
    if not tested.any():
        return f"{same}."
    above = int(table["exceeds"].eq(True).sum())
    return f"{above} of {len(table)} pairs are more alike than heads are to a random-weights control. {same}."
