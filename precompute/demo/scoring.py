"""Zero-shot accuracy of a demo CLIP on held-out scenes of one kind of object, by one fixed prompt form."""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from open_clip.model import CLIP

from db.text_table import text_table
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


class Score(NamedTuple):
    """How often the right value of a property wins."""

    property: str
    values: int
    chance: float
    accuracy: float


def value_indices(content: Content, of: str) -> list[int]:
    """Which value of a property each kind of object has; there is one background."""
    if of == "background":
        return [BACKGROUNDS.index(content.background)]
    if of == "count":
        return [kind.count - 1 for kind in content.kinds]
    return [VALUES[of].index(getattr(kind, of)) for kind in content.kinds]


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
        right = np.array([value_indices(content, of)[0] for content in contents])
        values = len(VALUES[of])
        scores.append(Score(of, values, 1 / values, float((chosen == right).mean())))
    return scores


def halfway(score: Score) -> float:
    """Accuracy in the middle between chance and always right."""
    return (1 + score.chance) / 2


def table(scores: list[Score]) -> str:
    """The scores as a Markdown table, chance beside each figure."""
    return text_table(Score._fields, scores)
