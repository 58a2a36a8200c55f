"""Tables as people read them: columns in the words of the pages, positions from 1, marks for true and false.

Keys of the bundle, such as image_id, keep their names: the queries beside a table use them. Knows nothing of
Streamlit or bundles.
"""

import pandas as pd

WORDS = {
    "position": "pick",
    "equal_norm_position": "pick at equal length",
    "variance_share": "share of variance",
    "cumulative_share": "cumulative share",
    "margin": "lead over the runner-up",
    "first_share": "share of the first text",
    "carries_label": "has the label",
    "carrying_picks": "picks that have the label",
    "p_value": "p",
    "q_value": "q",
    "low": "95 % from",
    "high": "95 % to",
    "rank_low": "rank from",
    "rank_high": "rank to",
    "tag_match": "tags match",
    "went_to": "misclassified as",
}
"""Titles of columns; in other names a space stands for _."""

KEYS = ("image_id", "text_id", "model_key")
POSITIONS = ("position", "equal_norm_position")
MARKS = {True: "✓", False: "–"}


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table to save, its columns in words and its positions from 1."""
    return from_one(table).rename(columns={name: title(str(name)) for name in table})


def title(name: str) -> str:
    """Returns the title of a column; a key, and a text in quotes, as it is."""
    return name if name in KEYS or name.startswith('"') else WORDS.get(name, name.replace("_", " "))


def changed(name: str) -> bool:
    """Returns True if a table in words would have another title for a column, or other numbers in it."""
    return name in POSITIONS or title(name) != name


def from_one(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table whose positions count from 1."""
    return table.assign(**{name: table[name] + 1 for name in POSITIONS if name in table})


def marked(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table with a mark for true and for false: a checkbox means that a click chooses the row."""
    flags = [name for name in table if pd.api.types.infer_dtype(table[name], skipna=True) == "boolean"]
    return table.assign(**{name: table[name].map(MARKS).fillna("") for name in flags})
