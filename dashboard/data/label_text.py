"""How a label is worded, and what it rests on."""

from typing import Any

import pandas as pd

from dashboard.data import cached
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name

TURNED, MIXED = "rotated heads", "texts mixed from all its heads"
"""What an offline label is tested against: imported results have no heads that could be rotated."""


def claim(row: Any) -> str:
    """A label as it is shown: with a question mark where rotated heads do as well."""
    if not isinstance(row.label, str):
        return "no label"
    return f"{row.label}?" if row.supported is False else row.label


def evidence(source: Source, head: Head) -> str:
    """One line on what a head's label rests on."""
    row = head_row(source, head)
    texts = "; ".join(cached.head_texts(source, head)[:3]) or "none"
    if not isinstance(row.label, str):
        return f"{head_name(head)} has no label. Texts that describe it best: {texts}."
    said = f"{head_name(head)} is labeled “{row.label}” ({support(row)})"
    return f"{said}. Texts that describe it best: {texts}."


def head_row(source: Source, head: Head) -> Any:
    """What is known of one head: its row of `heads`."""
    return next(row for row in cached.heads(source).itertuples() if (row.layer, row.head) == head)


def support(row: Any) -> str:
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
    return f"unsupported: {MIXED if row.method == 'enrichment' else TURNED} do as well{q}"


def tested_against(source: Source) -> str:
    """What the offline labels of a model must stand up to."""
    return TURNED if source.has_vectors else MIXED
