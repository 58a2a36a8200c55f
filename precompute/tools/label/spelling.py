"""Normalizes the spelling of labels.

Heads share a label only if the spelling is equal, so "Color", "color " and "colors" must become one label.
"""

import re
import unicodedata
from collections.abc import Sequence

MAX_LABEL_CHARACTERS = 80
"""Maximum length of a label. A database index cannot hold much longer ones, and no page can show them."""

_SEPARATORS = re.compile(r"[\s_/‐-―-]+")
_PUNCTUATION = ".,;:!?\"'`’‘“”()[]{}*#"


def normalize(text: str) -> str:
    """Returns the label in lower case (NFKC), with one space between words and no punctuation around them.

    Underscores, slashes, hyphens and dashes separate words. A plural stays; see `singular`.
    """
    words = _SEPARATORS.split(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(bare for word in words if (bare := word.strip(_PUNCTUATION)))


def is_label(label: str) -> bool:
    """Returns True for a normalized label that is not empty, not too long, and printable.

    Control characters, marks of the writing direction and lone surrogates are not printable.
    """
    return 0 < len(label) <= MAX_LABEL_CHARACTERS and label.isprintable()


def singular(label: str) -> str:
    """Returns a normalized label with its last word in the singular.

    Uses the ending alone: "colors" and "cities" change; "glass", "focus" and "tennis" stay.
    """
    if label.endswith("ies") and len(label) > 4:
        return label[:-3] + "y"
    if label.endswith("s") and not label.endswith(("ss", "us", "is")) and len(label) > 3:
        return label[:-1]
    return label


def as_in_pool(label: str, properties: Sequence[str]) -> str:
    """Returns the pool's property that equals a normalized label up to case and plural, else the label."""
    return next((name for name in properties if singular(normalize(name)) == singular(label)), label)
