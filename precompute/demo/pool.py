"""The text pool and the prompts of the demo, in the vocabulary of its models.

Every property uses the same sentence frames. If only colors used "a picture of ...", a head that prefers that
frame would be labeled color.
"""

from itertools import permutations
from pathlib import Path

from precompute.demo.scenes import BACKGROUNDS, COUNTS, POSITIONS
from precompute.demo.words import AT, NOUNS, ON, PLURAL, PROPERTIES, VALUES, prompt
from precompute.texts import TEXTS, write_rows

POOL_PATH = TEXTS / "demo.tsv"
PROMPTS_PATH = TEXTS / "demo_prompts.tsv"
FRAMES = (
    "{}", "a picture of {}", "a drawing of {}", "an image with {}", "a scene with {}", "we see {}",
    "this shows {}", "a picture with {}", "an image of {}",
)  # fmt: skip
TEXTS_PER_FRAME = 15  # of each property
HEADER = "# name: demo\n# language: en\n# license: CC0-1.0\n"
PROMPTS_HEADER = "# The fixed prompts of the demo models; written by `python -m precompute.demo texts`.\n"


def pool() -> list[tuple[str, str]]:
    """Returns all texts with their property; the same list every time.

    No text names two properties. Such texts have a large norm in the space of every head, so they are picked
    first, and a label then cannot decide between the two properties.
    """
    return [(text, property_) for property_ in PROPERTIES for text in _texts(property_)]


def write_pool(path: Path = POOL_PATH) -> None:
    """Writes the pool, a line for each text: text, tab, property."""
    write_rows(path, HEADER, pool())


def prompts() -> list[tuple[str, str, str]]:
    """Returns property, value as in `attributes.csv`, and the fixed prompt of the value for scoring."""
    return [(property_, *row) for property_ in PROPERTIES for row in _prompts(property_)]


def write_prompts(path: Path = PROMPTS_PATH) -> None:
    """Writes the prompts, a line for each value: property, tab, value, tab, prompt."""
    write_rows(path, PROMPTS_HEADER, prompts())


def _prompts(property_: str) -> list[tuple[str, str]]:
    if property_ == "count":  # a number in the file, a word in a sentence
        return [(str(number), prompt(property_, word)) for number, word in enumerate(COUNTS, start=1)]
    return [(value, prompt(property_, value)) for value in VALUES[property_]]


def _texts(property_: str) -> list[str]:
    """Returns the texts of one property: the same number in every frame, its values in turn."""
    phrases = _phrases(property_)
    return [
        frame.format(phrases[(TEXTS_PER_FRAME * f + k) % len(phrases)])
        for f, frame in enumerate(FRAMES)
        for k in range(TEXTS_PER_FRAME)
    ]


def _phrases(property_: str) -> list[str]:
    """Returns phrases for the values of a property; all values occur once before one is repeated."""
    if property_ in ("color", "pattern"):
        return [f"{value} {noun}" for noun in NOUNS for value in VALUES[property_]]
    if property_ == "shape":
        return [*PLURAL.values(), *(f"{a} and {b}" for a, b in permutations(PLURAL.values(), 2))]
    if property_ == "count":
        return [f"{count} {noun[:-1] if count == 'one' else noun}" for noun in NOUNS for count in COUNTS]
    if property_ == "position":
        return [f"{NOUNS[k]} {at.format(place)}" for k, at in enumerate(AT) for place in POSITIONS]
    return [f"{NOUNS[k % 3]} {on.format(ground)}" for k, on in enumerate(ON) for ground in BACKGROUNDS]
