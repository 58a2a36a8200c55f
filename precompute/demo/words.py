"""Vocabulary, training captions and tokenizer file of the demo models.

Every word is one token. A word outside `VOCABULARY` does not occur in training; `unknown_words` lists such
words so that the caller can refuse them.
"""

import re
from collections.abc import Set

from precompute.demo.hashing import Stream
from precompute.demo.scenes import BACKGROUNDS, COLORS, COUNTS, PATTERNS, POSITIONS, SHAPES, Content, Kind

PLURAL = {shape: "crosses" if shape == "cross" else shape + "s" for shape in SHAPES}
OPENINGS = (
    "", "a picture of ", "a picture with ", "a drawing of ", "an image with ", "a scene with ", "there are ",
    "we see ", "this shows ",
)  # fmt: skip
NOUNS = ("objects", "things", "figures")
ON = ("on {}", "over {}", "in front of {}", "against {}", "with {} behind", "with a background of {}")
AT = ("at the {}", "in the {}", "placed at the {}")
VALUES: dict[str, tuple[str, ...]] = {
    "color": tuple(COLORS),
    "shape": SHAPES,
    "pattern": PATTERNS,
    "background": BACKGROUNDS,
    "count": COUNTS,
    "position": POSITIONS,
}
"""Values of each property, as words."""

PROPERTIES = tuple(VALUES)

# One form for each property, fixed before the first model was scored.
PROMPTS = {
    "color": "a picture with {} objects",
    "shape": "a picture with {}",
    "pattern": "a picture with {} objects",
    "background": "a picture with a background of {}",
    "count": "a picture with {} objects",
    "position": "a picture with objects at the {}",
}

_FUNCTION_WORDS = (
    "a", "an", "and", "the", "of", "with", "on", "over", "in", "front", "against", "behind", "background",
    "at", "placed", "there", "are", "we", "see", "this", "shows", "picture", "drawing", "image", "scene",
    "object", "objects", "thing", "things", "figure", "figures", "top", "bottom", "left", "right", "center",
)  # fmt: skip

VOCABULARY: tuple[str, ...] = tuple(
    sorted({*_FUNCTION_WORDS, *COLORS, *SHAPES, *PLURAL.values(), *PATTERNS, *BACKGROUNDS, *COUNTS})
)


def unknown_words(text: str) -> list[str]:
    """Returns the distinct words of a text outside the vocabulary, in order."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower())
    return [word for word in dict.fromkeys(words) if word not in VOCABULARY]


def prompt(property_: str, value: str) -> str:
    """Returns the fixed prompt for one value of a property."""
    if property_ == "shape":
        value = PLURAL[value]
    text = PROMPTS[property_].format(value)
    return text.replace("one objects", "one object")


def object_caption(kind: Kind) -> str:
    """Returns a caption that names one kind of object by color and shape alone."""
    return f"a picture with {kind.color} {PLURAL[kind.shape]}"


def noun_phrase(kind: Kind, properties: Set[str], stream: Stream) -> str:
    """Returns a noun phrase for the objects of one kind that names the given properties only."""
    counted = "count" in properties
    single = counted and kind.count == 1
    noun = PLURAL[kind.shape] if "shape" in properties else stream.choice(NOUNS)
    if single:
        noun = kind.shape if "shape" in properties else noun[:-1]
    words = [getattr(kind, name) for name in ("color", "pattern") if name in properties] + [noun]
    if counted:
        article = "an" if words[0][0] in "aeiou" else "a"
        words.insert(0, article if single and stream.below(3) == 0 else COUNTS[kind.count - 1])
    phrase = " ".join(words)
    return phrase + " " + stream.choice(AT).format(kind.position) if "position" in properties else phrase


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
    if len(kinds) == 2 and len(of_kinds) < 5 and stream.below(2):
        kinds.pop()
    if not of_kinds:
        kinds = kinds[:1]
    phrases = " and ".join(noun_phrase(kind, of_kinds, stream) for kind in kinds)
    return f"{opening}{phrases} {ground}".strip()


def one_property(property_: str, value: str, stream: Stream) -> str:
    """Returns a caption that names one value of one property only."""
    opening, noun = stream.choice(OPENINGS), stream.choice(NOUNS)
    if property_ == "background":
        if stream.below(2):
            return f"{opening}a background of {value}"
        return f"{opening}{noun} {stream.choice(ON).format(value)}"
    if property_ == "shape":
        return opening + PLURAL[value]
    if property_ == "position":
        return f"{opening}{noun} {stream.choice(AT).format(value)}"
    return f"{opening}{value} {noun[:-1] if value == 'one' else noun}"


def some_properties(properties: list[str], stream: Stream) -> set[str]:
    """Returns all properties half of the time, else two or three of them."""
    if stream.below(2):
        return set(properties)
    count = 2 + stream.below(2)
    chosen_properties: set[str] = set()
    while len(chosen_properties) < count:
        chosen_properties.add(stream.choice(properties))
    return chosen_properties
