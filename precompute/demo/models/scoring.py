"""Zero-shot accuracy of a demo CLIP on held-out scenes of one kind of thing, with one fixed prompt form.

Color is scored on tinted things: that of others is unknown.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8
from open_clip.model import CLIP

from db.text_table import text_table
from precompute.demo.models.batches import value_indices
from precompute.demo.models.build import embed_scenes, embed_texts
from precompute.demo.models.cache import HELD_OUT_SEED
from precompute.demo.world.scenes import content_of
from precompute.demo.world.words import PROPERTIES, VALUES, prompt


class Score(NamedTuple):
    """Zero-shot accuracy for the values of one property."""

    property: str
    values: int
    chance: float
    accuracy: float


def score(
    model: CLIP, pixels: UInt8[np.ndarray, "image side side 3"], seed: int = HELD_OUT_SEED
) -> list[Score]:
    """Returns the accuracy for every property, over the first scenes of one kind of a seed."""
    contents = [content_of(index, seed, kinds=1) for index in range(len(pixels))]
    image = embed_scenes(model, pixels)
    scores = []
    for property_ in PROPERTIES:
        text = embed_texts(model, [prompt(property_, value) for value in VALUES[property_]])
        predicted = (image @ text.T).argmax(dim=1).tolist()
        correct = [value_indices(content, property_) for content in contents]
        hits = [value == indices[0] for value, indices in zip(predicted, correct, strict=True) if indices]
        values = len(VALUES[property_])
        scores.append(Score(property_, values, 1 / values, float(np.mean(hits))))
    return scores


def halfway(score: Score) -> float:
    """Returns the accuracy halfway between chance and 1."""
    return (1 + score.chance) / 2


def table(scores: list[Score]) -> str:
    """Returns the scores as a Markdown table with the chance level."""
    return text_table(Score._fields, scores)
