"""Words and captions of scenes, and the byte-pair file that makes one token of every word.

The text model of the demo sees these words alone. A caption names a subset of the properties of a scene; what
it does not name may have any value.
"""

import re
from collections.abc import Sequence, Set

from precompute.demo.hashing import Stream
from precompute.demo.world.artwork import NATURAL
from precompute.demo.world.scenes import BACKGROUNDS, COLORS, COUNTS, POSITIONS, Content, Kind
from precompute.demo.world.things import CATEGORIES, GROUP, NOUNS, PROPERTY, article, plural

OPENINGS = (
    "", "a picture of ", "a picture with ", "a drawing of ", "an image with ", "a scene with ", "there are ",
    "we see ", "this shows ",
)  # fmt: skip
ANYTHING = ("thing", "object", "figure")
"""Words for a thing whose noun and category are not named."""

ON = ("on {}", "over {}", "in front of {}", "against {}", "with {} behind", "with a background of {}")
AT = ("at the {}", "near the {}", "placed at the {}")
VALUES: dict[str, tuple[str, ...]] = {
    "noun": NOUNS,
    "category": CATEGORIES,
    "group": tuple(GROUP.values()),
    "color": COLORS,
    "background": BACKGROUNDS,
    "counting": COUNTS,
    "position": POSITIONS,
}
"""Values of each property that a caption can name, as words."""

PROPERTIES = ("noun", "category", "color", "background", "counting", "position")
"""Properties that are scored; `group` names several categories at once, and not every thing has one."""

# One form for each property, fixed before the first model was scored.
PROMPTS = {
    "noun": "a picture with {}",
    "category": "a picture with {}",
    "color": "a picture with {} things",
    "background": "a picture with a background of {}",
    "counting": "a picture with {} things",
    "position": "a picture with things at the {}",
}

_FUNCTION_WORDS = (
    "a", "an", "and", "the", "of", "with", "on", "over", "in", "front", "against", "behind", "background",
    "at", "near", "placed", "there", "are", "we", "see", "this", "shows", "picture", "drawing", "image",
    "scene", "top", "bottom", "left", "right", "center",
)  # fmt: skip


def _vocabulary() -> tuple[str, ...]:
    phrases = [*NOUNS, *CATEGORIES, *GROUP.values(), *ANYTHING]
    phrases += [plural(phrase) for phrase in phrases]
    words = [word for phrase in phrases for word in phrase.split()]
    return tuple(sorted({*words, *_FUNCTION_WORDS, *COLORS, *BACKGROUNDS, *COUNTS}))


VOCABULARY: tuple[str, ...] = _vocabulary()


def unknown_words(text: str) -> list[str]:
    """Returns the distinct words of a text outside the vocabulary, in order."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())
    return [word for word in dict.fromkeys(words) if word not in VOCABULARY]


def prompt(property_: str, value: str) -> str:
    """Returns the fixed prompt for one value of a property."""
    if property_ in ("noun", "category"):
        value = plural(value)
    return PROMPTS[property_].format(value).replace("one things", "one thing")


def kind_caption(kind: Kind) -> str:
    """Returns a caption that names one kind of thing by its noun and, if it is tinted, its color."""
    return f"a picture with {kind.color} {plural(kind.noun)}".replace("  ", " ")


def noun_phrase(kind: Kind, properties: Set[str], stream: Stream) -> str:
    """Returns a noun phrase for the things of one kind that names the given properties only."""
    counted = "counting" in properties
    single = counted and kind.count == 1
    noun = _noun(kind, properties, stream)
    phrase = noun if single else plural(noun)
    if "color" in properties and kind.color != NATURAL:
        phrase = f"{kind.color} {phrase}"
    if counted:
        number = article(phrase) if single and stream.below(3) == 0 else COUNTS[kind.count - 1]
        phrase = f"{number} {phrase}"
    return phrase + " " + stream.choice(AT).format(kind.position) if "position" in properties else phrase


def _noun(kind: Kind, properties: Set[str], stream: Stream) -> str:
    """Returns the noun of a kind, or its category, or a word for anything."""
    if "noun" in properties:
        return kind.noun
    if "category" not in properties:
        return stream.choice(ANYTHING)
    group = GROUP.get(PROPERTY[kind.category])
    return group if group and stream.below(4) == 0 else kind.category


def caption(content: Content, stream: Stream, properties: Set[str] = frozenset(PROPERTIES)) -> str:
    """Returns a caption of a scene that names the given properties only."""
    of_kinds = set(properties) - {"background"}
    opening = stream.choice(OPENINGS)
    ground = ""
    if "background" in properties:
        ground = stream.choice(ON).format(content.background)
        if not of_kinds and stream.below(2):
            return opening + "a background of " + content.background
    kinds = list(content.kinds)
    if len(kinds) == 2 and stream.below(2):
        kinds.reverse()
    if len(kinds) == 2 and len(of_kinds) < len(PROPERTIES) - 1 and stream.below(2):
        kinds.pop()
    if not of_kinds:
        kinds = kinds[:1]
    phrases = " and ".join(noun_phrase(kind, of_kinds, stream) for kind in kinds)
    return f"{opening}{phrases} {ground}".strip()


def one_property(property_: str, value: str, stream: Stream) -> str:
    """Returns a caption that names one value of one property only."""
    opening, anything = stream.choice(OPENINGS), stream.choice(ANYTHING)
    things = plural(anything)
    if property_ == "background":
        if stream.below(2):
            return f"{opening}a background of {value}"
        return f"{opening}{things} {stream.choice(ON).format(value)}"
    if property_ in ("noun", "category", "group"):
        return opening + (f"{article(value)} {value}" if stream.below(4) == 0 else plural(value))
    if property_ == "position":
        return f"{opening}{things} {stream.choice(AT).format(value)}"
    return f"{opening}{value} {anything if value == 'one' else things}"


def some_properties(properties: Sequence[str], stream: Stream) -> set[str]:
    """Returns all properties half of the time, else two or three of them."""
    if stream.below(2):
        return set(properties)
    count = 2 + stream.below(2)
    chosen_properties: set[str] = set()
    while len(chosen_properties) < count:
        chosen_properties.add(stream.choice(properties))
    return chosen_properties
