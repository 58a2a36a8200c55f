"""The plan of the planted model: a CLIP with hand-set heads and a known result of every stage.

The content of the pictures and the inputs, outputs and amounts of each head are defined here only: `pictures`
draws from the plan, `weights` builds the model, `answers` computes the correct results. docs/planted.md
explains the plan.

A *feature* is one direction of the joint space: a word, or a direction without a word. All are orthogonal.
"""

from typing import Literal, NamedTuple

from precompute.demo.world.things import plural

COLORS = {"red": 3, "green": 2, "blue": 1}
"""Main colors with their frequencies: three of six pictures are red. Unequal, to avoid ties in TEXTSPAN."""

SHAPES = {"circle": 5, "square": 4, "triangle": 3, "cross": 2, "ring": 1}
POSITIONS = {"left": 3, "center": 2, "right": 1}
"""Third of the picture with all the objects, with frequencies."""

PROPERTIES = ("color", "position", "shape")
WORDS = {
    "color": (*COLORS, "purple", "yellow"),
    "shape": (*(plural(shape) for shape in SHAPES), "stars", "hearts"),
    "position": (*POSITIONS, "top", "bottom"),
}
"""Words of the text pool. The last two of each property occur in no picture."""

NOISE_WORDS = ("purple", "yellow", "stars", "hearts", "top", "bottom")
"""Features of the first noise head: two words of every property."""

MUTE = ("mute 0", "mute 1", "mute 2")
"""Features of the second noise head: directions without a word."""

BIAS, CONE = "bias", "cone"
"""Features of the output bias of one layer and of the bias of `ln_post`: the same for every image."""

FEATURES = (*(word for words in WORDS.values() for word in words), *MUTE, BIAS, CONE)

GRAINS = len(NOISE_WORDS) + len(MUTE)
"""Number of independent random signs of a picture; each sign is a faint pattern on all tiles."""

PATCH_SLOTS = (
    *(f"sees {word}" for word in COLORS),
    *(f"sees {plural(shape)}" for shape in SHAPES),
    *(f"lies at {position}" for position in POSITIONS),
    *(f"grain {number}" for number in range(GRAINS)),
    "is object",
    "is class",
)
"""Content of a token before the first layer."""

GRID, TILE = 6, 16
"""Tiles per side of the picture, and pixels per side of a tile; a tile is a patch."""

OBJECTS, OF_MAIN_COLOR = 8, 6
"""Number of objects in a picture, and of those with the main color; each other object has another color."""

LAYERS, HEADS, FIRST_DECOMPOSED = 3, 4, 1
D_OUT = 32
IMAGE_SIZE = GRID * TILE
MEAN, STD = (0.4, 0.4, 0.4), (0.2, 0.2, 0.2)
"""The mean is the gray of an empty tile, so that an empty tile is zero for the model."""

MODEL_NAME = "ViT-planted-3/by-hand"
ACTIVATION, INTERPOLATION = "gelu", "bicubic"


PoolText = tuple[str, tuple[str, ...]]
"""A text and its properties."""


class PlantedHead(NamedTuple):
    """The plan of one head. Heads that are not in the plan write nothing."""

    layer: int
    head: int
    role: str
    attends: Literal["all", "objects", "class"]
    """Tokens that the class token attends to: all tokens equally, all objects equally, or itself."""

    writes: dict[str, tuple[str, float]]
    """Output feature -> slot that the head reads for it, and amount written for one unit of the slot."""


def _copies(words: tuple[str, ...], reads: str, amount: float) -> dict[str, tuple[str, float]]:
    return {word: (f"{reads}{word}", amount) for word in words}


_COLORS, _POSITIONS, _SHAPES = tuple(COLORS), tuple(POSITIONS), WORDS["shape"][: len(SHAPES)]

# Slightly different: with a tie between properties, rounding would decide the head's label and texts.
NOISE_AMOUNTS = (0.5, 0.5, 0.45, 0.45, 0.55, 0.55)
MUTE_AMOUNT = 0.5

_NOISE = {word: (f"grain {k}", NOISE_AMOUNTS[k]) for k, word in enumerate(NOISE_WORDS)}
_MUTE = {mute: (f"grain {len(NOISE_WORDS) + k}", MUTE_AMOUNT) for k, mute in enumerate(MUTE)}

PLAN = (
    PlantedHead(0, 0, "color, before the decomposed layers", "all", _copies(_COLORS, "sees ", 0.5)),
    PlantedHead(1, 0, "color", "all", _copies(_COLORS, "sees ", 1.0)),
    PlantedHead(1, 1, "shape", "all", _copies(_SHAPES, "sees ", 0.8)),
    PlantedHead(1, 2, "noise along words of every property", "all", _NOISE),
    PlantedHead(2, 0, "position", "objects", _copies(_POSITIONS, "lies at ", 0.7)),
    PlantedHead(2, 1, "shape, from what L1.H1 wrote to the class token", "class", _copies(_SHAPES, "", 0.6)),
    PlantedHead(2, 2, "noise that no text says", "all", _MUTE),
)

BIAS_LAYER, BIAS_AMOUNT = 1, 0.4
"""Output bias of one layer along the feature `bias`; each of its heads gets an equal share."""

CONE_AMOUNT = 3.0
"""Bias of `ln_post` along the feature `cone`; every component of the model gets a share."""


def phrase(word: str) -> str:
    """Returns the text of one word in the text pool."""
    if word in WORDS["shape"]:
        return word
    return f"{word} objects" if word in WORDS["color"] else f"objects at the {word}"


def texts() -> list[PoolText]:
    """Returns the text pool with properties: every word, and every pair of words of two properties."""
    colors, shapes, positions = (WORDS[name] for name in ("color", "shape", "position"))
    pool: list[PoolText] = [(phrase(word), (name,)) for name, words in WORDS.items() for word in words]
    pool += [(f"{color} {shape}", ("color", "shape")) for color in colors for shape in shapes]
    pool += [(f"{shape} at the {place}", ("position", "shape")) for shape in shapes for place in positions]
    phrases, properties = [phrase(color) for color in colors], ("color", "position")
    return pool + [(f"{text} at the {place}", properties) for text in phrases for place in positions]
