"""Text of other people inside Streamlit's Markdown. Knows nothing of Streamlit or bundles.

Streamlit 1.67 reads CommonMark with tables, strikethrough, footnotes, directives and formulas. Then it
changes the words that it has read: addresses become links, `:smile:` and `:material/home:` pictures, and
`->` an arrow.
"""

import re

_LATER = r"[:@]|(?<=www)\.|[-<>~=](?=[-=>])"
"""Characters that matter after an escape is gone: each gets a plain span, which splits the words."""

_MARKS = r"[\\`*_{}\[\]()#+\-.!|~<>&$=]"
_SPECIAL = re.compile(rf"(?P<later>{_LATER})|(?P<mark>{_MARKS})|^ |[^\S ]", re.IGNORECASE)

MAX_LETTERS = 40
"""Letters of a word or text that a message repeats."""


def cut(text: str) -> str:
    """Returns a text that a message can repeat: a long one is cut."""
    return text if len(text) <= MAX_LETTERS else text[: MAX_LETTERS - 1] + "…"


def literal(text: object) -> str:
    """Returns Markdown that shows a text exactly as it is written: no link, picture, formula or format.

    It fits into a line of Markdown, a heading, a table and a directive: line breaks become spaces.
    """
    return _SPECIAL.sub(_escaped, str(text))


def _escaped(found: re.Match) -> str:
    if found["later"]:
        return rf":color[\{found[0]}]"  # a color without a name
    return rf"\{found[0]}" if found["mark"] else f"&#{ord(found[0])};"
