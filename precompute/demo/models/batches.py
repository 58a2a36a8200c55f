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
from precompute.demo.models.build import tokenizer
from precompute.demo.world.artwork import NATURAL
from precompute.demo.world.scenes import Content, content_of
from precompute.demo.world.things import GROUP, PROPERTY
from precompute.demo.world.words import PROPERTIES, VALUES, VOCABULARY, caption, one_property, some_properties

FEW = 2
"""Maximum count of things, in a scene of one kind, for which the things are large."""


class PropertyCaptions(NamedTuple):
    """Captions of one property, one for each of its values."""

    property: str
    start: int
    """Index of the first of these captions among the short captions of the batch."""

    matches: Bool[Tensor, "image value"]
    """True where the caption of a value is true of a scene."""

    unknown: Bool[Tensor, "image value"]
    """True where nobody knows: the colors of a thing that is not tinted."""


class Batch(NamedTuple):
    """Scenes and captions: the short captions of single properties, and one caption for each scene."""

    pixels: UInt8[Tensor, "image side side 3"]
    short: Int[Tensor, "text token"]
    long: Int[Tensor, "image token"]
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
        cue: float = 0.0,
    ):
        """`large_first`: share of scenes with few, large things in the first batch; falls to zero halfway.
        `color_every`: captions name colors in every `color_every`-th batch, 0 for never. `cue`: as of the
        scenes."""
        self.pixels, self.seed, self.size, self.steps = pixels, seed, size, steps
        self.large_first, self.color_every = large_first, color_every
        self.contents: list[Content] = [content_of(i, scene_seed, cue=cue) for i in range(len(pixels))]
        self.large = [i for i, content in enumerate(self.contents) if _is_large(content)]
        self.matches = {property_: _matches(self.contents, property_) for property_ in VALUES}
        natural = [any(kind.color == NATURAL for kind in content.kinds) for content in self.contents]
        self.natural = torch.tensor(natural)
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
        colors = self.color_every and step % self.color_every == 0
        property_captions: list[PropertyCaptions] = []
        texts: list[str] = []
        for property_ in (name for name in VALUES if name != "color" or colors):
            matches = self.matches[property_][scenes]
            unknown = ~matches & self.natural[scenes, None] & (property_ == "color")
            property_captions.append(PropertyCaptions(property_, len(texts), matches, unknown))
            texts += [one_property(property_, value, stream) for value in VALUES[property_]]
        several = some_properties([name for name in PROPERTIES if name != "color" or colors], stream)
        captions = [caption(self.contents[i], stream, several) for i in scenes]
        pixels = torch.from_numpy(ascontiguousarray(self.pixels[scenes]))
        return Batch(pixels, self.tokens(texts), self.tokens(captions), tuple(property_captions))

    def tokens(self, texts: list[str]) -> Int[Tensor, "text token"]:
        """Returns the tokens of texts in the vocabulary; equal to the tokenizer's, but cut to the longest.

        Under a causal mask the padding after the end of a text changes nothing.
        """
        words = [text.split() for text in texts]
        length = min(
            CONTEXT_LENGTH, -(-(max(map(len, words)) + 2) // 8) * 8
        )  # few lengths: one compilation each
        out = torch.zeros(len(texts), length, dtype=torch.long)
        for row, text in enumerate(words):
            ids = [self.ends[0], *(self.token[word] for word in text), self.ends[1]]
            out[row, : len(ids)] = torch.tensor(ids)
        return out


def _is_large(content: Content) -> bool:
    return len(content.kinds) == 1 and content.kinds[0].count <= FEW


def value_indices(content: Content, property_: str) -> list[int]:
    """Returns the indices of the values of a property in a scene: one for each kind that has one."""
    if property_ == "background":
        return [VALUES["background"].index(content.background)]
    if property_ == "counting":
        return [kind.count - 1 for kind in content.kinds]
    values = [_value(kind, property_) for kind in content.kinds]
    return [VALUES[property_].index(value) for value in values if value in VALUES[property_]]


def _value(kind, property_: str) -> str:
    if property_ == "group":
        return GROUP.get(PROPERTY[kind.category], "")
    return getattr(kind, property_)


def _matches(contents: list[Content], property_: str) -> Bool[Tensor, "image value"]:
    """Returns a mask of the values of a property in each scene; a scene of two kinds has up to two."""
    matches = np.zeros((len(contents), len(VALUES[property_])), dtype=bool)
    for row, content in enumerate(contents):
        matches[row, value_indices(content, property_)] = True
    return torch.from_numpy(matches)
