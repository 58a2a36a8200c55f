"""Words near a word that is not known. Knows nothing of Streamlit or bundles."""

from collections.abc import Iterable
from difflib import get_close_matches

from dashboard.state.markdown import MAX_LETTERS

MAX_NEAR = 3
"""Number of words suggested for one word."""

MIN_LIKENESS = 0.7
"""Ratio of common letters from which on a word is suggested: "three" is like "tree", not like "green"."""


def near_words(word: str, vocabulary: Iterable[str]) -> list[str]:
    """Returns the words of a vocabulary that are spelled like a word, the nearest first."""
    return get_close_matches(word.lower()[:MAX_LETTERS], sorted(set(vocabulary)), MAX_NEAR, MIN_LIKENESS)
