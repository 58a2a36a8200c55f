"""Zero-shot accuracy of a demo CLIP on held-out scenes of one kind of object, by one fixed prompt form."""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from open_clip.model import CLIP

from precompute.demo.cache import HELD_OUT_SEED
from precompute.demo.model import embed_scenes, embed_texts
from precompute.demo.scenes import (
    BACKGROUNDS,
    COLORS,
    COUNTS,
    PATTERNS,
    POSITIONS,
    SHAPES,
    Content,
    content_of,
)
from precompute.demo.words import PROPERTIES, prompt

VALUES: dict[str, tuple[str, ...]] = {
    "color": tuple(COLORS),
    "shape": SHAPES,
    "pattern": PATTERNS,
    "background": BACKGROUNDS,
    "count": COUNTS,
    "position": POSITIONS,
}
REQUIRED = {"background": 0.95, "color": 0.95, "pattern": 0.70}


class Score(NamedTuple):
    """How often the right value of a property wins."""

    property: str
    values: int
    chance: float
    accuracy: float


def value_index(content: Content, of: str) -> int:
    """Which value of a property the first kind of object has."""
    if of == "background":
        return BACKGROUNDS.index(content.background)
    if of == "count":
        return content.kinds[0].count - 1
    return VALUES[of].index(getattr(content.kinds[0], of))


def score(
    model: CLIP, pixels: UInt8[np.ndarray, "image side side 3"], seed: int = HELD_OUT_SEED
) -> list[Score]:
    """Accuracy for every property, over the first scenes of one kind of a seed."""
    contents = [content_of(index, seed, kinds=1) for index in range(len(pixels))]
    image = embed_scenes(model, pixels)
    scores = []
    for of in PROPERTIES:
        text = embed_texts(model, [prompt(of, value) for value in VALUES[of]])
        chosen = (image @ text.T).argmax(dim=1).numpy()  # [image]
        right = np.array([value_index(content, of) for content in contents])
        values = len(VALUES[of])
        scores.append(Score(of, values, 1 / values, float((chosen == right).mean())))
    return scores


def table(scores: list[Score]) -> str:
    """The scores as a Markdown table, chance beside each figure."""
    rows = [f"| {s.property} | {s.values} | {s.chance:.3f} | {s.accuracy:.3f} |" for s in scores]
    return "\n".join(["| property | values | chance | accuracy |", "| --- | --- | --- | --- |", *rows])
