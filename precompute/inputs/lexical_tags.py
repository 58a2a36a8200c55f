"""The lexical rule: tags the texts of an untagged pool with properties, from their words alone.

A text carries a property if it contains a value of it ("crimson", "polka dots") or a word for the property
itself ("color", "patterned") as whole words. The rule does not use a model's embedding: labels would then
differ between models by construction. The lexicon is `texts/general_values.tsv`, the values of the general
pool, and `texts/property_words.tsv`, more words for the same properties.

Words are compared without case, accents and hyphens. The longest match wins and consumes its words: "orange
juice" is food and not a color. Among equally long matches, words as written win over singulars, and
singulars over base forms: "clothing" is clothing and not cloth.

Known errors. The rule ignores word senses: "turkey" has the one sense of the lexicon, every "spring" is a
season, "light" in "light luggage" is lighting. It ignores grammar: "no cars" is tagged as cars, "dog food"
as a dog. In "photo taken in X" only X counts. It reads English only; `text_pool` does not tag pools in other
languages.

Reads two files; everything else is pure.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import product
from operator import contains, itemgetter
from pathlib import Path
from typing import NamedTuple

from db.errors import UserError
from precompute.texts import TEXTS

GENERAL = TEXTS / "general_values.tsv"
"""Values of the general pool: value, tab, its properties separated by `|`."""

PROPERTY_WORDS = TEXTS / "property_words.tsv"
"""More words for its properties: property, tab, words separated by `|`."""

WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
VOWEL = re.compile(r"[aeiouy]")
SHORT = re.compile(r"[^aeiouy]*[aeiouy][^aeiouwxy]")
"""A word of one vowel and one final consonant, which is doubled before an ending."""

IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "geese": "goose", "mice": "mouse", "leaves": "leaf",
    "wolves": "wolf", "knives": "knife", "scarves": "scarf", "calves": "calf",
    "hooves": "hoof", "shelves": "shelf", "wives": "wife", "buses": "bus",
    "cacti": "cactus", "fungi": "fungus",
}  # fmt: skip

Phrase = tuple[str, ...]
Spelling = dict[str, list[tuple[Phrase, frozenset[str]]]]
"""Values and their properties, by first word."""


class Lexicon(NamedTuple):
    """Values and their properties."""

    properties: tuple[str, ...]
    """All properties, sorted."""

    spellings: tuple[Spelling, ...]
    """Values as written, as singulars and as base forms, in order of precedence."""


class LexiconError(UserError):
    """A file of values cannot be used; the message says what to change."""


@cache
def load_lexicon(path: Path = GENERAL) -> Lexicon:
    """Returns the values of a file and the property words of its properties. Raises LexiconError."""
    values: dict[str, set[str]] = {}
    for value, value_properties in read_lines(path):
        values.setdefault(value, set()).update(value_properties)
    properties = set().union(*values.values())
    for property_, words in read_lines(PROPERTY_WORDS):
        for word in words if property_ in properties else ():
            values.setdefault(word, set()).add(property_)
    return build(values)


def build(values: Mapping[str, Iterable[str]]) -> Lexicon:
    """Returns the lexicon of values and their properties."""
    by_phrase: tuple[dict[Phrase, set[str]], ...] = ({}, {}, {})
    for value, properties in values.items():
        words = words_of(value)
        for spelling, form in zip(by_phrase, FORMS, strict=True):
            for phrase in product(*map(form, words)) if words else ():
                spelling.setdefault(phrase, set()).update(properties)
    all_properties = set().union(*by_phrase[0].values())
    return Lexicon(tuple(sorted(all_properties)), tuple(_by_first_word(spelling) for spelling in by_phrase))


def tags(text: str, lexicon: Lexicon) -> tuple[str, ...]:
    """Returns the properties of a text, sorted; empty if the text contains no value of the lexicon."""
    words = words_of(text)
    is_used = [False] * len(words)
    text_properties: set[str] = set()
    for negative_length, _, start, properties in sorted(_matches(words, lexicon), key=itemgetter(0, 1, 2)):
        span = slice(start, start - negative_length)
        if not any(is_used[span]):
            text_properties |= properties
            is_used[span] = [True] * -negative_length
    return tuple(sorted(text_properties))


def read_lines(path: Path) -> list[tuple[str, list[str]]]:
    """Returns the lines `left<TAB>right|right` of a file; ignores a third column and `#` comments."""
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
    """Returns the words of a text for comparison: NFC, lower case, no accents, no hyphens, no possessive."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", text).casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return [re.sub(r"['’]s$", "", word) for word in WORD.findall(plain)]


@lru_cache(maxsize=65536)
def singular(word: str) -> str:
    """Returns the word without a plural ending; may be no real word ("cookies" and "cookie" give "cooky")."""
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
    """Returns the possible base forms of a word: its singular without -ing or -ed, in every spelling.

    A spelling that is no word ("walke") is harmless: it is no base form of another word. The stem must be
    long enough for a word: "king", "wing", "red" and "seed" do not change.
    """
    word = singular(word)
    ending = next((suffix for suffix in ("ing", "ied", "ed") if word.endswith(suffix)), "")
    rest = word[: len(word) - len(ending)]
    if not ending or len(rest) < 3 or rest.endswith("e") or not VOWEL.search(rest):
        return (word,)
    if ending == "ied":
        return (rest + "y",)
    if rest[-1] == rest[-2]:
        return (rest, rest[:-1])  # falling: fall; running: run
    if SHORT.fullmatch(rest):
        return (rest + "e",)  # riding: ride; the form of "rid" is "ridding"
    return (rest, rest + "e")  # walking: walk; dancing: dance


FORMS: tuple[Callable[[str], Phrase], ...] = (lambda word: (word,), lambda word: (singular(word),), bases)
"""Forms of a word in each of `Lexicon.spellings`."""


def _by_first_word(by_phrase: Mapping[Phrase, set[str]]) -> Spelling:
    spelling: Spelling = {}
    for phrase, properties in by_phrase.items():
        spelling.setdefault(phrase[0], []).append((phrase, frozenset(properties)))
    return spelling


def _matches(words: Sequence[str], lexicon: Lexicon) -> list[tuple[int, int, int, frozenset[str]]]:
    """Returns the matches of values: minus word count, spelling rank, index of the first word, properties."""
    matches = []
    for rank, (spelling, form) in enumerate(zip(lexicon.spellings, FORMS, strict=True)):
        forms = [form(word) for word in words]
        for start, firsts in enumerate(forms):
            for phrase, properties in (entry for first in firsts for entry in spelling.get(first, ())):
                window = forms[start : start + len(phrase)]
                if len(window) == len(phrase) and all(map(contains, window, phrase)):
                    matches.append((-len(phrase), rank, start, properties))
    return matches
