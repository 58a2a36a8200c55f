"""Training batches: scenes, captions of one property, and captions of several properties.

A caption such as "a picture of red things" is true of many scenes of a batch. It occurs once, with all scenes
that match it, so that the loss pushes no scene away from a true caption. Every batch has a caption for every
value of every property. A caption of several properties belongs to one scene.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Int, UInt8
from numpy import ascontiguousarray, ndarray
from torch import Tensor

from precompute.demo import CONTEXT_LENGTH
from precompute.demo.hashing import Stream
from precompute.demo.model import tokenizer
from precompute.demo.scenes import Content, content_of
from precompute.demo.scoring import value_indices
from precompute.demo.words import PROPERTIES, VALUES, VOCABULARY, caption, one_property, some_properties

LARGE = 2
"""Maximum count of objects, in a scene of one kind, for which the objects are large."""


class PropertyCaptions(NamedTuple):
    """Captions of one property, one for each of its values."""

    property: str
    start: int
    """Index of the first of these captions among the texts of the batch."""

    matches: Bool[Tensor, "image value"]
    """True where the caption of a value is true of a scene."""


class Batch(NamedTuple):
    """Scenes and captions: first the captions of single properties, then one caption for each scene."""

    pixels: UInt8[Tensor, "image side side 3"]
    text: Int[Tensor, "text token"]
    property_captions: tuple[PropertyCaptions, ...]


class Batches:
    """Endless sequence of batches of cached scenes; batch `step` of a seed is the same in every run."""

    def __init__(
        self,
        pixels: UInt8[ndarray, "image side side 3"],
        *,
        scene_seed: int,
        seed: int,
        size: int,
        steps: int,
        large_first: float = 0.0,
        color_every: int = 1,
    ):
        """`large_first`: share of scenes with few, large objects in the first batch; falls to zero halfway.
        `color_every`: captions name colors in every `color_every`-th batch."""
        self.pixels, self.seed, self.size, self.steps = pixels, seed, size, steps
        self.large_first, self.color_every = large_first, color_every
        self.contents: list[Content] = [content_of(index, scene_seed) for index in range(len(pixels))]
        self.large = [i for i, content in enumerate(self.contents) if _is_large(content)]
        self.matches = {property_: _matches(self.contents, property_) for property_ in PROPERTIES}
        encode = tokenizer()
        self.token = {word: encode.encode(word)[0] for word in VOCABULARY}
        self.ends = (encode.sot_token_id, encode.eot_token_id)

    def scene_indices(self, step: int) -> list[int]:
        """Returns the indices of the scenes in batch `step`."""
        stream = Stream(self.seed + 77, step)
        share = self.large_first * max(0.0, 1.0 - 2.0 * step / self.steps)
        large = round(share * self.size) if self.large else 0
        large_scenes = [stream.choice(self.large) for _ in range(large)]
        return large_scenes + [stream.below(len(self.contents)) for _ in range(self.size - large)]

    def __getitem__(self, step: int) -> Batch:
        scenes, stream = self.scene_indices(step), Stream(self.seed + 78, step)
        properties = [name for name in PROPERTIES if name != "color" or step % self.color_every == 0]
        property_captions: list[PropertyCaptions] = []
        texts: list[str] = []
        for property_ in properties:
            property_captions.append(PropertyCaptions(property_, len(texts), self.matches[property_][scenes]))
            texts += [one_property(property_, value, stream) for value in VALUES[property_]]
        several = some_properties(properties, stream)
        texts += [caption(self.contents[i], stream, several) for i in scenes]
        pixels = torch.from_numpy(ascontiguousarray(self.pixels[scenes]))
        return Batch(pixels, self.tokens(texts), tuple(property_captions))

    def tokens(self, texts: list[str]) -> Int[Tensor, "text token"]:
        """Returns the tokens of texts in the vocabulary; equal to the tokenizer's, but faster."""
        out = torch.zeros(len(texts), CONTEXT_LENGTH, dtype=torch.long)
        for row, text in enumerate(texts):
            ids = [self.ends[0], *(self.token[word] for word in text.split()), self.ends[1]]
            out[row, : len(ids)] = torch.tensor(ids)
        return out


def _is_large(content: Content) -> bool:
    return len(content.kinds) == 1 and content.kinds[0].count <= LARGE


def _matches(contents: list[Content], property_: str) -> Bool[Tensor, "image value"]:
    """Returns a mask of the values of a property in each scene; a scene of two kinds has up to two."""
    matches = np.zeros((len(contents), len(VALUES[property_])), dtype=bool)
    for row, content in enumerate(contents):
        matches[row, value_indices(content, property_)] = True
    return torch.from_numpy(matches)
