"""Training batches: most of each shares what is learned first.

Color and pattern are learned within minutes and then tell all captions of a random batch apart, so that
nothing else would be learned. So a third of a batch shows one kind of object of one color and pattern, a
third is made of sets of eight that share all but count and position, a sixth shares its background and
first color, and a sixth is drawn at random.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Int, UInt8
from numpy import ascontiguousarray, ndarray
from torch import Tensor

from precompute.demo import CONTEXT_LENGTH
from precompute.demo.hashing import Stream
from precompute.demo.model import tokenizer
from precompute.demo.scenes import Content, content_of
from precompute.demo.words import VOCABULARY, caption, some_properties

ALIKE = 8  # scenes in a set that shares all but count and position


class Batch(NamedTuple):
    """Scenes with two captions each."""

    pixels: UInt8[Tensor, "image side side 3"]
    full: Int[Tensor, "image token"]
    """Tokens of captions that name every property."""

    partial: Int[Tensor, "image token"]
    """Tokens of captions that name one, two or three properties."""


class Batches:
    """Endless batches over cached scenes; batch `step` is the same in every run."""

    def __init__(self, pixels: UInt8[ndarray, "image side side 3"], *, seed: int, size: int):
        self.pixels, self.seed, self.size = pixels, seed, size
        self.contents: list[Content] = [content_of(index, seed) for index in range(len(pixels))]
        self.same_ground = self._groups(lambda content: (content.background, content.kinds[0].color), False)
        self.same_look = self._groups(lambda content: content.kinds[0][:3:2], True)
        self.alike = [
            group
            for group in self._groups(lambda content: (content.background, *content.kinds[0][:3]), True)
            if len(group) >= ALIKE
        ]
        encode = tokenizer()
        self.token = {word: encode.encode(word)[0] for word in VOCABULARY}
        self.ends = (encode.sot_token_id, encode.eot_token_id)

    def _groups(self, of: Callable[[Content], tuple[str, ...]], single: bool) -> list[list[int]]:
        """Scenes that share something; with `single`, only those of one kind of object."""
        groups = defaultdict(list)
        for index, content in enumerate(self.contents):
            if not single or len(content.kinds) == 1:
                groups[of(content)].append(index)
        return [groups[key] for key in sorted(groups)]

    def chosen(self, step: int) -> list[int]:
        """Which scenes batch `step` shows."""
        stream = Stream(self.seed + 77, step)
        chosen: list[int] = []
        while self.alike and len(chosen) + ALIKE <= self.size // 3:
            chosen += _some(stream.choice(self.alike), ALIKE, stream)
        look, ground = stream.choice(self.same_look), stream.choice(self.same_ground)
        chosen += [stream.choice(look) for _ in range(self.size // 3)]
        chosen += [stream.choice(ground) for _ in range(self.size // 6)]
        return chosen + [stream.below(len(self.contents)) for _ in range(self.size - len(chosen))]

    def __getitem__(self, step: int) -> Batch:
        chosen, stream = self.chosen(step), Stream(self.seed + 78, step)
        full = [caption(self.contents[i], stream) for i in chosen]
        partial = [caption(self.contents[i], stream, some_properties(stream)) for i in chosen]
        pixels = torch.from_numpy(ascontiguousarray(self.pixels[chosen]))
        return Batch(pixels, self.tokens(full), self.tokens(partial))

    def tokens(self, texts: list[str]) -> Int[Tensor, "image token"]:
        """The tokenizer's result for texts made of known words, without its regular expressions."""
        out = torch.zeros(len(texts), CONTEXT_LENGTH, dtype=torch.long)
        for row, text in enumerate(texts):
            ids = [self.ends[0], *(self.token[word] for word in text.split()), self.ends[1]]
            out[row, : len(ids)] = torch.tensor(ids)
        return out


def _some(group: list[int], count: int, stream: Stream) -> list[int]:
    """So many different members of a group: the first steps of a shuffle."""
    group = list(group)
    for k in range(count):
        other = k + stream.below(len(group) - k)
        group[k], group[other] = group[other], group[k]
    return group[:count]
