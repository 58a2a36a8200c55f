"""The plan of the planted model: a CLIP whose heads are set by hand, so that every stage has a known answer.

What a picture shows, what each head reads and writes, and how strongly, is fixed here and nowhere else:
`planted_pictures` draws by it, `planted_weights` builds the model by it, `planted_answers` says what every
stage must find. docs/planted.md tells it in words.

A *feature* is one direction of the joint space: a word, or something no word says. All are at right angles.
"""

from typing import Literal, NamedTuple

from precompute.demo.words import PLURAL

COLORS = {"red": 3, "green": 2, "blue": 1}
"""Main colors with their weights: of six pictures three are red. Unequal, so that TEXTSPAN has no ties."""

SHAPES = {"circle": 5, "square": 4, "triangle": 3, "cross": 2, "ring": 1}
POSITIONS = {"left": 3, "center": 2, "right": 1}
"""The third of the picture that all objects lie in."""

PROPERTIES = ("color", "position", "shape")
WORDS = {
    "color": (*COLORS, "purple", "yellow"),
    "shape": (*(PLURAL[shape] for shape in SHAPES), "stars", "hearts"),
    "position": (*POSITIONS, "top", "bottom"),
}
"""Words of the text pool. The last two of each property are in no picture."""

NOISE_WORDS = ("purple", "yellow", "stars", "hearts", "top", "bottom")
"""What one noise head writes along: as many words of every property."""

MUTE = ("mute 0", "mute 1", "mute 2")
"""What the other noise head writes along: no word at all."""

BIAS, CONE = "bias", "cone"
"""What the output bias of one layer and the bias of `ln_post` write along: the same for every image."""

FEATURES = (*(word for words in WORDS.values() for word in words), *MUTE, BIAS, CONE)

GRAINS = len(NOISE_WORDS) + len(MUTE)
"""Independent signs of a picture, each a faint pattern on all its tiles."""

SEEN = (
    *(f"sees {word}" for word in COLORS),
    *(f"sees {PLURAL[shape]}" for shape in SHAPES),
    *(f"lies at {position}" for position in POSITIONS),
    *(f"grain {number}" for number in range(GRAINS)),
    "is object",
    "is class",
)
"""What a token knows of itself before the first layer."""

GRID, TILE = 6, 16
"""Tiles a side, and pixels a tile's side: a tile is a patch."""

OBJECTS, OF_MAIN_COLOR = 8, 6
"""Objects of a picture, and how many have the main color; the others have one other color each."""

LAYERS, HEADS, FIRST_DECOMPOSED = 3, 4, 1
D_OUT = 32
IMAGE_SIZE = GRID * TILE
MEAN, STD = (0.4, 0.4, 0.4), (0.2, 0.2, 0.2)
"""The mean is the gray of an empty tile, so that the model sees nothing there."""

MODEL_NAME = "ViT-planted-3/by-hand"
ACTIVATION, INTERPOLATION = "gelu", "bicubic"


class PlantedHead(NamedTuple):
    """What one head does. Heads that are not in the plan read nothing."""

    layer: int
    head: int
    role: str
    attends: Literal["all", "objects", "class"]
    """Whether the class token attends to all tokens alike, to objects alike, or to itself."""

    writes: dict[str, tuple[str, float]]
    """Feature written -> slot that is read for it, and how much is written for one unit of it."""


def _copies(words: tuple[str, ...], reads: str, amount: float) -> dict[str, tuple[str, float]]:
    return {word: (f"{reads}{word}", amount) for word in words}


_COLORS, _POSITIONS, _SHAPES = tuple(COLORS), tuple(POSITIONS), WORDS["shape"][: len(SHAPES)]

# Not quite alike: a tie between properties would leave the head's label, and its texts, to rounding.
NOISE_AMOUNTS = (0.5, 0.5, 0.45, 0.45, 0.55, 0.55)
MUTE_AMOUNT = 0.5

PLAN = (
    PlantedHead(0, 0, "color, before the decomposed layers", "all", _copies(_COLORS, "sees ", 0.5)),
    PlantedHead(1, 0, "color", "all", _copies(_COLORS, "sees ", 1.0)),
    PlantedHead(1, 1, "shape", "all", _copies(_SHAPES, "sees ", 0.8)),
    PlantedHead(
        1,
        2,
        "noise along words of every property",
        "all",
        {word: (f"grain {k}", NOISE_AMOUNTS[k]) for k, word in enumerate(NOISE_WORDS)},
    ),
    PlantedHead(2, 0, "position", "objects", _copies(_POSITIONS, "lies at ", 0.7)),
    PlantedHead(2, 1, "shape, from what L1.H1 wrote to the class token", "class", _copies(_SHAPES, "", 0.6)),
    PlantedHead(
        2,
        2,
        "noise that no text says",
        "all",
        {mute: (f"grain {len(NOISE_WORDS) + k}", MUTE_AMOUNT) for k, mute in enumerate(MUTE)},
    ),
)

BIAS_LAYER, BIAS_AMOUNT = 1, 0.4
"""Output bias of one layer, along the feature `bias`: each of its heads is given an equal share."""

CONE_AMOUNT = 3.0
"""Bias of `ln_post`, along the feature `cone`: every part of the model is given a share."""


def phrase(word: str) -> str:
    """How the text pool says one word."""
    if word in WORDS["shape"]:
        return word
    return f"{word} objects" if word in WORDS["color"] else f"objects at the {word}"


def texts() -> list[tuple[str, tuple[str, ...]]]:
    """The text pool: every word alone, and every two words of two properties, with the properties named."""
    colors, shapes, positions = (WORDS[of] for of in ("color", "shape", "position"))
    pool: list[tuple[str, tuple[str, ...]]] = [(phrase(word), (of,)) for of in WORDS for word in WORDS[of]]
    pool += [(f"{color} {shape}", ("color", "shape")) for color in colors for shape in shapes]
    pool += [(f"{shape} at the {place}", ("position", "shape")) for shape in shapes for place in positions]
    return pool + [
        (f"{phrase(color)} at the {place}", ("color", "position")) for color in colors for place in positions
    ]
