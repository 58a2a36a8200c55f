"""One spelling for one label, whoever gave it.

Heads share a label where its spelling is the same, so "Color", "color " and "colors" must not count as three.
Pure: words in, words out.
"""

import re
import unicodedata
from collections.abc import Sequence

_PARTED = re.compile(r"[\s_/‐-―-]+")
_AROUND = ".,;:!?\"'`’‘“”()[]{}*#"


def normalize(text: str) -> str:
    """The label in lower case (NFKC), its words parted by one space and without punctuation around them.

    Underscores, slashes, hyphens and dashes part words. A plural stays; see `kind`.
    """
    words = _PARTED.split(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(bare for word in words if (bare := word.strip(_AROUND)))


def kind(label: str) -> str:
    """What normalized labels that differ by a plural alone have in common: the last word in the singular.

    By its ending alone: colors, cities; glass, focus and tennis stay.
    """
    if label.endswith("ies") and len(label) > 4:
        return label[:-3] + "y"
    if label.endswith("s") and not label.endswith(("ss", "us", "is")) and len(label) > 3:
        return label[:-1]
    return label


def as_in_pool(label: str, properties: Sequence[str]) -> str:
    """The property of the pool that a normalized label is, up to case and plural; else the label itself."""
    return next((one for one in properties if kind(normalize(one)) == kind(label)), label)
