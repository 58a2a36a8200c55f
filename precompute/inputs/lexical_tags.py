"""The lexical rule: which properties a text of somebody else's pool carries, by its words alone.

A text carries a property if it holds a value of it ("crimson", "polka dots") or a word for the property
itself ("color", "patterned") as whole words. Never by a model's embedding: labels would then differ between
models by construction. The lexicon is `texts/general_values.tsv`, the values of the general pool, and
`texts/property_words.tsv`, more words for the same properties.

Words are compared without case, accents and hyphens. The longest match goes first and uses its words up:
"orange juice" is food and no color. Of equally long matches one of the words as written goes before one of
their singulars, that before one of what they may be inflected from: "clothing" is clothing and no cloth.

What the rule gets wrong, knowingly. It does not know senses: "turkey" is what the lexicon says it is, "a
spring" is a season at every well, "light" is lighting in "light luggage". It does not know English grammar:
in "no cars" there are cars, in "dog food" a dog. "Photo taken in X" says nothing by its frame, only by X. It
reads English only; `pool` leaves texts of a pool in another language untagged.

Reads two files; everything else is pure.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import product
from operator import contains
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute.texts import TEXTS

GENERAL = TEXTS / "general_values.tsv"
"""Values of the general pool: value, tab, its properties with `|` between."""

PROPERTY_WORDS = TEXTS / "property_words.tsv"
"""More words for its properties: property, tab, words with `|` between."""

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
VOWEL = re.compile(r"[aeiouy]")
SHORT = re.compile(r"[^aeiouy]*[aeiouy][^aeiouwxy]")
"""One vowel, then one consonant that is doubled before an ending."""

IRREGULAR = {
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "geese": "goose",
    "mice": "mouse",
    "leaves": "leaf",
    "wolves": "wolf",
    "knives": "knife",
    "scarves": "scarf",
    "calves": "calf",
    "hooves": "hoof",
    "shelves": "shelf",
    "wives": "wife",
    "buses": "bus",
    "cacti": "cactus",
    "fungi": "fungus",
}

Phrase = tuple[str, ...]
Spelling = dict[str, list[tuple[Phrase, frozenset[str]]]]
"""Values and their properties by first word."""


class Lexicon(NamedTuple):
    """Values and the properties they stand for."""

    properties: tuple[str, ...]
    """All of them, sorted."""

    spellings: tuple[Spelling, ...]
    """Values as written, as singulars, as bases. They count in this order."""


class LexiconError(UserError):
    """A file of values cannot be used; the message says what to change."""


@cache
def load_lexicon(path: Path = GENERAL) -> Lexicon:
    """The values of a file, and more words for the properties that they have. Raises LexiconError."""
    values: dict[str, set[str]] = {}
    for value, carried in read_lines(path):
        values.setdefault(value, set()).update(carried)
    known = set().union(*values.values())
    for property_, words in read_lines(PROPERTY_WORDS):
        for word in words if property_ in known else ():
            values.setdefault(word, set()).add(property_)
    return build(values)


def build(values: Mapping[str, Iterable[str]]) -> Lexicon:
    """A lexicon of values and their properties."""
    carried: tuple[dict[Phrase, set[str]], ...] = ({}, {}, {})
    for value, properties in values.items():
        words = words_of(value)
        for spelling, form in zip(carried, FORMS, strict=True):
            for phrase in product(*map(form, words)) if words else ():
                spelling.setdefault(phrase, set()).update(properties)
    known = set().union(*carried[0].values())
    return Lexicon(tuple(sorted(known)), tuple(_by_first_word(spelling) for spelling in carried))


def tags(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Properties of a text, sorted; none where no value of the lexicon stands in it."""
    words = words_of(text)
    taken = [False] * len(words)
    found: set[str] = set()
    for less_words, _, start, properties in sorted(_matches(words, lexicon), key=lambda match: match[:3]):
        span = slice(start, start - less_words)
        if not any(taken[span]):
            found |= properties
            taken[span] = [True] * -less_words
    return tuple(sorted(found))


def read_lines(path: Path) -> list[tuple[str, list[str]]]:
    """Lines `left<TAB>right|right` of a file; a third column and lines that begin with `#` are left alone."""
    lines = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        left, field, *_ = [*line.split("\t"), ""]
        right = [part.strip() for part in field.split("|") if part.strip()]
        if not words_of(left) or not right:
            raise LexiconError(
                f"line {number} of {path.name} is {line!r}; "
                "a line is one entry, a tab, and what it stands for with | between."
            )
        lines.append((left.strip(), right))
    return lines


def words_of(text: str) -> list[str]:
    """Words of a text as they are compared: NFC, lower case, no accents, hyphens apart, no possessive."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [re.sub(r"['’]s$", "", word) for word in WORD.findall(plain)]


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """The word without a plural ending; not always a word ("cookies" and "cookie" are both "cooky")."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) > 4 and word.endswith(("ies", "ie")):
        return word[: word.rindex("ie")] + "y"
    if word.endswith(("sses", "ches", "shes", "xes")) or (len(word) > 5 and word.endswith("oes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and word[-2] not in "siu":
        return word[:-1]
    return word


@lru_cache(maxsize=65536)
def bases(word: str) -> tuple[str, ...]:
    """What the word may be an inflected form of: its singular without -ing or -ed, in all spellings that fit.

    One that is no word ("walke") does no harm: it stands in no other word's bases. What remains must be able
    to be a word: "king", "wing", "red" and "seed" stay as they are.
    """
    word = singular(word)
    ending = next((one for one in ("ing", "ied", "ed") if word.endswith(one)), "")
    rest = word[: len(word) - len(ending)]
    if not ending or len(rest) < 3 or rest.endswith("e") or not VOWEL.search(rest):
        return (word,)
    if ending == "ied":
        return (rest + "y",)
    if rest[-1] == rest[-2]:
        return (rest, rest[:-1])  # falling: fall; running: run
    if SHORT.fullmatch(rest):
        return (rest + "e",)  # riding: ride, since that of "rid" is "ridding"
    return (rest, rest + "e")  # walking: walk; dancing: dance


FORMS: tuple[Callable[[str], Phrase], ...] = (lambda word: (word,), lambda word: (singular(word),), bases)
"""How words are spelled in each of `Lexicon.spellings`."""


def _by_first_word(carried: Mapping[Phrase, set[str]]) -> Spelling:
    spelling: Spelling = {}
    for phrase, properties in carried.items():
        spelling.setdefault(phrase[0], []).append((phrase, frozenset(properties)))
    return spelling


def _matches(words: Sequence[str], lexicon: Lexicon) -> list[tuple[int, int, int, frozenset[str]]]:
    """Where a value stands: minus its number of words, its spelling, its first word; and its properties."""
    found = []
    for rank, (spelling, form) in enumerate(zip(lexicon.spellings, FORMS, strict=True)):
        forms = [form(word) for word in words]
        for start, firsts in enumerate(forms):
            for phrase, properties in (entry for first in firsts for entry in spelling.get(first, ())):
                here = forms[start : start + len(phrase)]
                if len(here) == len(phrase) and all(map(contains, here, phrase)):
                    found.append((-len(phrase), rank, start, properties))
    return found
