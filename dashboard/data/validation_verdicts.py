"""Verdicts on the validation scores of a bundle: tables in, sentences out, no Streamlit."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dashboard.data import digits, validation_effects

RULES = {
    "labels": "right more often than all of these",
    "heads": "more supported labels are right than wrong",
    "maps": "the interval lies above 0 and above the control; average precision lies above every other map's",
    "neighbors": "more than by the whole embedding",
    "mean_ablation": "in a forward pass the property loses more than any other attribute, and more than by "
    "95 % of random sets",
    "texts": "in a forward pass half as many texts as a head has dimensions keep nine tenths of the accuracy "
    "above chance",
}
"""Criterion of each section."""


class Verdict(NamedTuple):
    """A sentence, and True if its claim holds."""

    holds: bool
    text: str


def on_labels(table: pd.DataFrame, key: str) -> list[Verdict]:
    """Compares the labels with the most frequent label, permuted labels, and random weights."""
    return [_on_label(row) for row in table[table["model_key"] == key].head(1).itertuples()]


def _on_label(row) -> Verdict:
    baselines = {
        "by naming every head alike": row.commonest,
        "if the same labels were permuted": row.chance,
        "on random weights": row.control,
    }
    baselines = {name: value for name, value in baselines.items() if not np.isnan(value)}
    against = ", ".join(f"{_share(value)} {name}" for name, value in baselines.items())
    text = (
        f"The label that pages show is right for {row.hits:.0f} of {row.heads:.0f} heads: on average over "
        f"attributes, for {_share(row.right)} of their heads{f', against {against}' * bool(against)}."
    )
    return Verdict(all(row.right > value for value in baselines.values()), text)


def on_heads(table: pd.DataFrame) -> list[Verdict]:
    """Counts the supported labels that name the attribute their head acts on."""
    count = table["verdict"].value_counts()
    right, wrong, weak = (int(count.get(kind, 0)) for kind in ("right", "wrong", "unsupported"))
    idle, unnamed = (int(count.get(kind, 0)) for kind in ("no effect", "no word"))
    anyway = int((table["label"] == table["acts_on"])[table["verdict"] == "unsupported"].sum())
    text = f"Of {right + wrong} supported labels {right} name what the head acts on. "
    text += f"Unsupported, without a claim: {weak}, of which {anyway} would be right."
    text += f" Heads that act on none of these attributes: {idle}." * bool(idle)
    text += f" Heads that act on an attribute without a text in the pool: {unnamed}." * bool(unnamed)
    return [Verdict(right > wrong, text)]


def on_maps(table: pd.DataFrame, key: str, control_key: str) -> list[Verdict]:
    """Compares maps through all heads with the control and with maps that ignore the text."""
    whole = table[table["subject_kind"] == "all_heads"]
    rows = {(row.model_key, row.measure): row for row in whole.itertuples()}
    others, verdicts = {"contrast": "that on the other", "caption": "that of another picture's caption"}, []
    for measure, other in others.items():
        row, untrained = rows.get((key, measure)), rows.get((control_key, measure))
        if row is not None:
            beside = "" if untrained is None else f"; on random weights {_signed(untrained.value)}"
            minimum = 0.0 if untrained is None else max(0.0, untrained.value)
            low = row.value if np.isnan(row.low) else row.low
            better = f"{_signed(row.value)}{_interval(row)}"
            text = f"Average precision of maps through all heads on the named object, less {other}: {better}"
            verdicts.append(Verdict(low > minimum, f"{text}{beside}."))
    return verdicts + _against_rivals(table, key)


def _against_rivals(table: pd.DataFrame, key: str) -> list[Verdict]:
    rows = table[(table["model_key"] == key) & (table["measure"] == "average_precision")]
    whole, rivals = (rows[rows["subject_kind"] == kind] for kind in ("all_heads", "rival"))
    if whole.empty or rivals.empty:
        return []
    precision = float(whole["value"].iloc[0])
    listed = ", ".join(f"{row.subject} {row.value:.3f}" for row in rivals.itertuples())
    text = f"By average precision they reach {precision:.3f}; maps that ignore the text: {listed}."
    return [Verdict(precision > rivals["value"].max(), text)]


def _signed(value: float) -> str:
    return digits.number(value, "+.3f")


def _interval(row) -> str:
    return "" if np.isnan(row.low) else f" ({_signed(row.low)} to {_signed(row.high)})"


def on_neighbors(table: pd.DataFrame, by: str) -> list[Verdict]:
    """Compares neighbors through the heads of each property with those of the whole embedding."""
    table = table[table["by"].isin(["", by])]
    embedding = table[table["subject_kind"] == "embedding"].set_index("attribute")
    heads = table[(table["subject_kind"] == "property") & (table["property"] == table["attribute"])]
    verdicts = []
    for row in heads[heads["attribute"].isin(embedding.index)].itertuples():
        name, whole = row.property, embedding.loc[row.attribute, "value"]
        text = (
            f"Through the {name} heads {_share(row.value)} of the nearest images share the query's "
            f"{name}; by the whole embedding {_share(whole)}, by chance {_share(row.chance)}."
        )
        verdicts.append(Verdict(row.value > whole, text))
    return verdicts


def on_mean_ablation(table: pd.DataFrame, effect: str = "forward") -> list[Verdict]:
    """Compares the cost of each property's heads with that of random heads and in other attributes."""
    return [
        _on_property(name, validation_effects.cost(table, name, effect))
        for name in validation_effects.properties(table)
    ]


def on_texts(table: pd.DataFrame, rank: int, effect: str = "forward") -> list[Verdict]:
    """Compares the accuracy of half as many texts as a head has dimensions with the unchanged model.

    Any texts keep everything if there are as many as dimensions.
    """
    rows = table[(table["attribute"] == "") & table["effect"].isin(["", effect])].sort_values("k")
    whole, reduced = (rows[rows["subject_kind"] == kind] for kind in ("nothing", "texts"))
    if whole.empty or reduced.empty:
        return []
    few = reduced[reduced["k"] <= max(rank / 2, reduced["k"].min())]
    last, before, chance = few.iloc[-1], whole["value"].iloc[0], whole["chance"].iloc[0]
    texts = "text" if last["k"] == 1 else f"{last['k']} texts"
    enough = chance + 0.9 * (before - chance)
    text = (
        f"With the first {texts} of every head, accuracy is {_share(last['value'])}, the mean over "
        f"attributes, against {_share(before)} with unchanged heads; guessing gives {_share(chance)}. "
        f"A head has {rank} dimensions, so {rank} texts of any kind keep everything."
    )
    return [Verdict(last["value"] >= enough, text)]


def _on_property(name: str, cost: validation_effects.Cost) -> Verdict:
    other = f" and {_points(cost.other_cost)} of {cost.other}" if cost.other else ""
    if np.isnan(cost.own):
        costs = f"Mean-ablating the {name} heads costs{other.removeprefix(' and')}"
        return Verdict(False, f'{costs}; "{name}" was not measured.')
    random = ""
    if not np.isnan(cost.low):
        low = digits.number(100 * cost.low, ".1f")
        random = f". Random sets of as many heads cost {low} to {_points(cost.high)} of {name}"
    text = f"Mean-ablating the {name} heads costs {_points(cost.own)} of {name}{other}{random}."
    largest = not cost.other or cost.own > cost.other_cost
    return Verdict(cost.own > 0 and largest and not cost.own <= cost.high, text)


def _points(value: float) -> str:
    return f"{digits.number(100 * value, '.1f')} points"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"
