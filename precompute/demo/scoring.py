"""Zero-shot accuracy of a demo CLIP on held-out scenes of one kind of object, with one fixed prompt form."""

import numpy as np
from jaxtyping import UInt8
from open_clip.model import CLIP

from precompute.demo.cache import HELD_OUT_SEED
from precompute.demo.model import embed_texts
from precompute.demo.models.build import embed_scenes
from precompute.demo.models.scoring import Score
from precompute.demo.scenes import BACKGROUNDS, Content, content_of
from precompute.demo.words import PROPERTIES, VALUES, prompt


def value_indices(content: Content, property_: str) -> list[int]:
    """Returns the index of the value of each kind of object; one index for the background."""
    if property_ == "background":
        return [BACKGROUNDS.index(content.background)]
    if property_ == "count":
        return [kind.count - 1 for kind in content.kinds]
    return [VALUES[property_].index(getattr(kind, property_)) for kind in content.kinds]


def score(
    model: CLIP, pixels: UInt8[np.ndarray, "image side side 3"], seed: int = HELD_OUT_SEED
) -> list[Score]:
    """Returns the accuracy for every property, over the first scenes of one kind of a seed."""
    contents = [content_of(index, seed, kinds=1) for index in range(len(pixels))]
    image = embed_scenes(model, pixels)
    scores = []
    for property_ in PROPERTIES:
        text = embed_texts(model, [prompt(property_, value) for value in VALUES[property_]])
        predicted = (image @ text.T).argmax(dim=1).numpy()  # [image]
        correct = np.array([value_indices(content, property_)[0] for content in contents])
        values = len(VALUES[property_])
        scores.append(Score(property_, values, 1 / values, float((predicted == correct).mean())))
    return scores
