"""Texts on labels and their evidence."""

from typing import Any

import pandas as pd

from dashboard.data import cached, texts
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name

ROTATED_HEADS, MIXED_LISTS = "rotated heads", "texts mixed from all its heads"
"""Null hypotheses of offline labels: imported results have no heads to rotate."""

MAX_Q, MIN_CARRYING = 0.05, 2
"""The two conditions of a supported offline label: its q-value, and the number of texts that carry it."""


def display_label(row: Any) -> str:
    """Returns the label of a head, with a question mark if it is unsupported."""
    if not isinstance(row.label, str):
        return "no label"
    return f"{row.label}?" if row.supported is False else row.label


def label_evidence(source: Source, head: Head) -> str:
    """Returns a line with a head's label, its evidence and its first texts."""
    row = head_row(source, head)
    first_texts = "; ".join(texts.of_head(source, head)[:3]) or "none"
    if not isinstance(row.label, str):
        return f"{head_name(head)} has no label. Texts that describe it best: {first_texts}."
    label = f"{head_name(head)} is labeled “{row.label}” ({label_support(row)})"
    return f"{label}. Texts that describe it best: {first_texts}."


def head_row(source: Source, head: Head) -> Any:
    """Returns the row of one head in `heads`."""
    return next(row for row in cached.heads(source).itertuples() if (row.layer, row.head) == head)


def label_support(row: Any) -> str:
    """Returns the evidence for a head's label in a few words."""
    if row.method == "person":
        return f"given by {row.given_by}"
    if row.method == "language_model":
        draws = f"{100 * row.votes:.0f} % of {row.draws:.0f} draws of {row.given_by}"
        return f"{'supported' if row.supported else 'unsupported'}: {draws} agree"
    q = "" if pd.isna(row.q_value) else f", q = {row.q_value:.2g}"
    if row.supported is None:
        return f"not tested{q}"
    if row.supported:
        return f"supported{q}"
    return f"unsupported: {', '.join(_failed_conditions(row))}{q}"


def _failed_conditions(row: Any) -> list[str]:
    """Returns why an offline label is unsupported: no better than chance, too few texts that carry it."""
    null = MIXED_LISTS if row.method == "enrichment" else ROTATED_HEADS
    few = not pd.isna(row.carrying_picks) and row.carrying_picks < MIN_CARRYING
    reasons = [f"not better than {null}"] if not few or row.q_value > MAX_Q else []
    if few:
        reasons.append("only one text carries it" if row.carrying_picks else "no text carries it")
    return reasons


def tested_against(source: Source) -> str:
    """Returns the null hypothesis of the offline labels of a model."""
    return ROTATED_HEADS if source.has_vectors else MIXED_LISTS
