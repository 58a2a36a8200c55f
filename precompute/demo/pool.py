"""The demo's text pool, every property in the same sentence frames, in the models' own words; its prompts.

A pool whose colors all came as "a picture of ..." would make a head that likes pictures a color head.
"""

from itertools import permutations
from pathlib import Path

from precompute.demo.scenes import BACKGROUNDS, COLORS, COUNTS, PATTERNS, POSITIONS, SHAPES
from precompute.demo.words import AT, NOUNS, ON, PLURAL, PROPERTIES, prompt
from precompute.texts import TEXTS

POOL_PATH = TEXTS / "demo.tsv"
PROMPTS_PATH = TEXTS / "demo_prompts.tsv"
FRAMES = (
    "{}",
    "a picture of {}",
    "a drawing of {}",
    "an image with {}",
    "a scene with {}",
    "we see {}",
    "this shows {}",
    "a picture with {}",
    "an image of {}",
)
A_FRAME = 15  # texts of one property in one frame
ABOUT = "# name: demo\n# language: en\n# license: CC0-1.0\n"
ABOUT_PROMPTS = "# The fixed prompts of the demo models; written by `python -m precompute.demo texts`.\n"
VALUES = {
    "color": tuple(COLORS),
    "shape": SHAPES,
    "pattern": PATTERNS,
    "background": BACKGROUNDS,
    "position": POSITIONS,
}
"""Those that attributes.csv writes as the captions do."""


def pool() -> list[tuple[str, str]]:
    """All texts with their property; the same list every time.

    None names two properties: such texts are long in every head's space, so they are picked first, and a
    label then cannot tell which of the two the head is about.
    """
    return [(text, of) for of in PROPERTIES for text in _about(of)]


def write_pool(path: Path = POOL_PATH) -> None:
    """One text a line, a tab, its property."""
    lines = [f"{text}\t{of}\n" for text, of in pool()]
    path.write_text(ABOUT + "".join(lines), encoding="utf-8", newline="\n")


def prompts() -> list[tuple[str, str, str]]:
    """Property, value as `attributes.csv` holds it, and the fixed prompt that the models are scored with."""
    return [(of, *one) for of in PROPERTIES for one in _prompts(of)]


def write_prompts(path: Path = PROMPTS_PATH) -> None:
    """One line a value: property, tab, value, tab, prompt."""
    lines = ["\t".join(row) + "\n" for row in prompts()]
    path.write_text(ABOUT_PROMPTS + "".join(lines), encoding="utf-8", newline="\n")


def _prompts(of: str) -> list[tuple[str, str]]:
    if of == "count":  # a number in the file, a word in a sentence
        return [(str(number), prompt(of, word)) for number, word in enumerate(COUNTS, start=1)]
    return [(value, prompt(of, value)) for value in VALUES[of]]


def _about(of: str) -> list[str]:
    """Texts that name one property: as many in every frame, its values in turn."""
    phrases = _phrases(of)
    return [
        frame.format(phrases[(A_FRAME * f + k) % len(phrases)])
        for f, frame in enumerate(FRAMES)
        for k in range(A_FRAME)
    ]


def _phrases(of: str) -> list[str]:
    """Ways to name each value of a property, all values once before any comes again."""
    if of in ("color", "pattern"):
        return [f"{value} {noun}" for noun in NOUNS for value in (COLORS if of == "color" else PATTERNS)]
    if of == "shape":
        return [PLURAL[shape] for shape in SHAPES] + [
            f"{PLURAL[a]} and {PLURAL[b]}" for a, b in permutations(SHAPES, 2)
        ]
    if of == "count":
        return [f"{count} {noun[:-1] if count == 'one' else noun}" for noun in NOUNS for count in COUNTS]
    if of == "position":
        return [f"{NOUNS[k]} {at.format(place)}" for k, at in enumerate(AT) for place in POSITIONS]
    return [f"{NOUNS[k % 3]} {on.format(ground)}" for k, on in enumerate(ON) for ground in BACKGROUNDS]
