"""Training batches: scenes, captions that name one property, and captions that name several.

A caption such as "a picture of red things" is true of many scenes of a batch, so it stands once, with all the
scenes it is true of: no scene is pushed away from a caption that describes it. Every value of every property
is asked in every batch. A caption that names several belongs to its own scene.
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
from precompute.demo.scoring import VALUES, value_indices
from precompute.demo.words import PROPERTIES, VOCABULARY, caption, one_property, some_properties

LARGE = 2
"""Scenes of one kind with at most so many objects show them large; they come first."""


class Asked(NamedTuple):
    """Captions that name one property, one for each of its values."""

    property: str
    start: int
    """Place of the first of them among the batch's texts."""

    true: Bool[Tensor, "image value"]
    """Of which scenes each is true."""


class Batch(NamedTuple):
    """Scenes with their captions: of single properties first, then, for each scene, one of several."""

    pixels: UInt8[Tensor, "image side side 3"]
    text: Int[Tensor, "text token"]
    asked: tuple[Asked, ...]


class Batches:
    """Endless batches over cached scenes; batch `step` of a seed is the same in every run."""

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
        """`large_first`: share of the first batch that shows few, large objects; none from halfway on.
        `color_every`: captions name colors in one of so many batches."""
        self.pixels, self.seed, self.size, self.steps = pixels, seed, size, steps
        self.large_first, self.color_every = large_first, color_every
        self.contents: list[Content] = [content_of(index, scene_seed) for index in range(len(pixels))]
        self.large = [i for i, content in enumerate(self.contents) if _is_large(content)]
        self.true = {of: _true(self.contents, of) for of in PROPERTIES}
        encode = tokenizer()
        self.token = {word: encode.encode(word)[0] for word in VOCABULARY}
        self.ends = (encode.sot_token_id, encode.eot_token_id)

    def chosen(self, step: int) -> list[int]:
        """Which scenes batch `step` shows."""
        stream = Stream(self.seed + 77, step)
        share = self.large_first * max(0.0, 1.0 - 2.0 * step / self.steps)
        large = round(share * self.size) if self.large else 0
        drawn = [stream.choice(self.large) for _ in range(large)]
        return drawn + [stream.below(len(self.contents)) for _ in range(self.size - large)]

    def __getitem__(self, step: int) -> Batch:
        chosen, stream = self.chosen(step), Stream(self.seed + 78, step)
        named = [of for of in PROPERTIES if of != "color" or step % self.color_every == 0]
        asked: list[Asked] = []
        texts: list[str] = []
        for of in named:
            asked.append(Asked(of, len(texts), self.true[of][chosen]))
            texts += [one_property(of, value, stream) for value in VALUES[of]]
        together = some_properties(named, stream)
        texts += [caption(self.contents[i], stream, together) for i in chosen]
        pixels = torch.from_numpy(ascontiguousarray(self.pixels[chosen]))
        return Batch(pixels, self.tokens(texts), tuple(asked))

    def tokens(self, texts: list[str]) -> Int[Tensor, "text token"]:
        """The tokenizer's result for texts made of known words, without its regular expressions."""
        out = torch.zeros(len(texts), CONTEXT_LENGTH, dtype=torch.long)
        for row, text in enumerate(texts):
            ids = [self.ends[0], *(self.token[word] for word in text.split()), self.ends[1]]
            out[row, : len(ids)] = torch.tensor(ids)
        return out


def _is_large(content: Content) -> bool:
    return len(content.kinds) == 1 and content.kinds[0].count <= LARGE


def _true(contents: list[Content], of: str) -> Bool[Tensor, "image value"]:
    """Which values of a property each scene shows; a scene of two kinds shows up to two."""
    true = np.zeros((len(contents), len(VALUES[of])), dtype=bool)
    for row, content in enumerate(contents):
        true[row, value_indices(content, of)] = True
    return torch.from_numpy(true)
