"""The text pool and the prompts of the demo, in the vocabulary of its models.

Every property uses the same sentence frames. If only colors used "a picture of ...", a head that prefers that
frame would be labeled color.
"""

from pathlib import Path

from precompute.demo.world.scenes import BACKGROUNDS, COLORS, COUNTS, POSITIONS
from precompute.demo.world.things import CATEGORIES, GROUP, PROPERTY, THINGS, plural
from precompute.demo.world.words import ANYTHING, AT, ON, VALUES, prompt
from precompute.texts import TEXTS, write_rows

POOL_PATH = TEXTS / "demo.tsv"
PROMPTS_PATH = TEXTS / "demo_prompts.tsv"
FRAMES = (
    "{}", "a picture of {}", "a drawing of {}", "an image with {}", "a scene with {}", "we see {}",
    "this shows {}", "a picture with {}", "an image of {}",
)  # fmt: skip
TEXTS_PER_FRAME = 12  # of each property
HEADER = "# name: demo\n# language: en\n# license: CC0-1.0\n"
PROMPTS_HEADER = "# The fixed prompts of the demo models; written by `python -m precompute.demo texts`.\n"

OF_THINGS = tuple(dict.fromkeys(PROPERTY.values()))
"""Properties that say what a thing is: animal, food, vehicle, ...; their values are nouns."""

OF_SCENES = ("color", "background", "counting", "position")
POOL_PROPERTIES = (*OF_THINGS, *OF_SCENES)


def nouns_of(property_: str) -> list[str]:
    """Returns the nouns of all categories of a property."""
    return [noun for category in categories_of(property_) for noun in THINGS[category]]


def categories_of(property_: str) -> list[str]:
    """Returns the categories of a property."""
    return [category for category in CATEGORIES if PROPERTY[category] == property_]


def pool() -> list[tuple[str, str]]:
    """Returns all texts with their property; the same list every time.

    No text names two properties. Such texts have a large norm in the space of every head, so they are picked
    first, and a label then cannot decide between the two properties.
    """
    return [(text, property_) for property_ in POOL_PROPERTIES for text in _texts(property_)]


def write_pool(path: Path = POOL_PATH) -> None:
    """Writes the pool, a line for each text: text, tab, property."""
    write_rows(path, HEADER, pool())


def prompts() -> list[tuple[str, str, str]]:
    """Returns property, value as in `attributes.csv`, and the fixed prompt of the value for scoring."""
    rows = [("category", category, prompt("category", category)) for category in CATEGORIES]
    rows += [(name, noun, prompt("noun", noun)) for name in OF_THINGS for noun in nouns_of(name)]
    for name in OF_SCENES:
        rows += [(name, value, prompt(name, word)) for value, word in _values(name)]
    return rows


def write_prompts(path: Path = PROMPTS_PATH) -> None:
    """Writes the prompts, a line for each value: property, tab, value, tab, prompt."""
    write_rows(path, PROMPTS_HEADER, prompts())


def _values(property_: str) -> list[tuple[str, str]]:
    """Returns the values of a property as in the table of attributes and as words."""
    if property_ == "counting":  # a number in the file, a word in a sentence
        return [(str(number), word) for number, word in enumerate(COUNTS, start=1)]
    return [(value, value) for value in VALUES[property_]]


def _texts(property_: str) -> list[str]:
    """Returns the texts of one property: the same number in every frame, its phrases in turn."""
    phrases = _phrases(property_)
    return [
        frame.format(phrases[(TEXTS_PER_FRAME * f + k) % len(phrases)])
        for f, frame in enumerate(FRAMES)
        for k in range(TEXTS_PER_FRAME)
    ]


def _phrases(property_: str) -> list[str]:
    """Returns phrases for the values of a property; all values occur once before one is repeated."""
    things = [plural(word) for word in ANYTHING]
    if property_ == "color":
        return [f"{value} {noun}" for noun in things for value in COLORS]
    if property_ == "counting":
        return [
            f"{count} {word if count == 'one' else plural(word)}" for word in ANYTHING for count in COUNTS
        ]
    if property_ == "position":
        return [f"{things[k % 3]} {at.format(place)}" for k, at in enumerate(AT) for place in POSITIONS]
    if property_ == "background":
        return [f"{things[k % 3]} {on.format(ground)}" for k, on in enumerate(ON) for ground in BACKGROUNDS]
    return _things(property_)


def _things(property_: str) -> list[str]:
    """Returns plurals of the nouns, of their categories and of their group, then pairs of nouns."""
    nouns = [plural(noun) for noun in nouns_of(property_)]
    wider = [plural(word) for word in [*categories_of(property_), *_group(property_)]]
    # A pair with each following noun, first the next, then the one after it, ...
    pairs = [
        f"{noun} and {nouns[(k + step) % len(nouns)]}"
        for step in range(1, len(nouns))
        for k, noun in enumerate(nouns)
    ]
    return [*nouns, *wider, *pairs]


def _group(property_: str) -> list[str]:
    return [GROUP[property_]] if property_ in GROUP else []
