"""How a label is worded, and what it rests on."""

from typing import Any

import pandas as pd

from dashboard.data import cached, texts
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name

ROTATED_HEADS, MIXED_LISTS = "rotated heads", "texts mixed from all its heads"
"""What an offline label is tested against: imported results have no heads that could be rotated."""


def display_label(row: Any) -> str:
    """A label as it is shown: with a question mark where rotated heads do as well."""
    if not isinstance(row.label, str):
        return "no label"
    return f"{row.label}?" if row.supported is False else row.label


def label_evidence(source: Source, head: Head) -> str:
    """One line on what a head's label rests on."""
    row = head_row(source, head)
    first = "; ".join(texts.of_head(source, head)[:3]) or "none"
    if not isinstance(row.label, str):
        return f"{head_name(head)} has no label. Texts that describe it best: {first}."
    sentence = f"{head_name(head)} is labeled “{row.label}” ({label_support(row)})"
    return f"{sentence}. Texts that describe it best: {first}."


def head_row(source: Source, head: Head) -> Any:
    """What is known of one head: its row of `heads`."""
    return next(row for row in cached.heads(source).itertuples() if (row.layer, row.head) == head)


def label_support(row: Any) -> str:
    """Whether a head's label can be trusted, in a few words, and what says so."""
    if row.method == "person":
        return f"given by {row.given_by}"
    if row.method == "language_model":
        drawn = f"{100 * row.votes:.0f} % of {row.draws:.0f} draws of {row.given_by}"
        return f"{'supported' if row.supported else 'unsupported'}: {drawn} agree"
    q = "" if pd.isna(row.q_value) else f", q = {row.q_value:.2g}"
    if row.supported is None:
        return f"not tested{q}"
    if row.supported:
        return f"supported{q}"
    return f"unsupported: {MIXED_LISTS if row.method == 'enrichment' else ROTATED_HEADS} do as well{q}"


def tested_against(source: Source) -> str:
    """What the offline labels of a model must stand up to."""
    return ROTATED_HEADS if source.has_vectors else MIXED_LISTS
