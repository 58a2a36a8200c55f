"""Words near a word that is not known. Knows nothing of Streamlit or bundles."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_NEAR = 3
"""Number of words suggested for one word."""

MAX_LETTERS = 40
"""Letters of a word or text that a message repeats."""


def near_words(word: str, vocabulary: Iterable[str]) -> list[str]:
    """Returns the words of a vocabulary that are spelled like a word, the nearest first."""
    return get_close_matches(word.lower()[:MAX_LETTERS], sorted(set(vocabulary)), MAX_NEAR)


def cut(text: str) -> str:
    """Returns a text that a message can repeat: a long one is cut."""
    return text if len(text) <= MAX_LETTERS else text[: MAX_LETTERS - 1] + "…"
