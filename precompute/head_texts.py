"""The texts of every head of one model, of its rotations, and with texts of one length in its space."""

import os
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from precompute import labels, progress, textspan
from precompute.config import Config
from precompute.types import HeadSpaces, Picks, TextSpan

_THREADS = os.cpu_count() or 1


class Head(NamedTuple):
    """One head on its way through the stages."""

    layer: int
    head: int
    covariance: Float[Tensor, "rank rank"]
    text: Float[Tensor, "text rank"]
    rank: int


class HeadTexts(NamedTuple):
    """The axis `head` runs over all heads of the model, layer by layer."""

    spans: list[TextSpan]
    equal_norm: list[TextSpan]
    """When all texts have one length in a head's space."""

    rotated: Picks
    """First picks of the heads turned at random, [head, rotation]."""


def each(
    covariance: Float[Tensor, "layer head rank rank"], spaces: HeadSpaces, text: Float[Tensor, "text d_out"]
) -> list[Head]:
    """Every head with the pool in its own space."""
    return [
        Head(
            layer,
            head,
            covariance[place, head],
            textspan.text_coordinates(text, spaces.basis[place, head]),
            int(spaces.rank[place, head]),
        )
        for place, layer in enumerate(spaces.layers)
        for head in range(covariance.shape[1])
    ]


def span(
    heads: list[Head], spaces: HeadSpaces, text: Float[Tensor, "text d_out"], config: Config
) -> HeadTexts:
    """TEXTSPAN of every head and of its rotations; layer by layer, so that progress shows."""
    layers, count = spaces.basis.shape[:2]
    spans: list[TextSpan] = []
    equal_norm: list[TextSpan] = []
    rotated = []
    for place in progress.track(range(layers), "describing heads", total=layers, unit="layer"):
        mine = heads[place * count :][:count]
        spans += _each_span([one.covariance for one in mine], [one.text for one in mine], config.picks)
        scaled = [textspan.equal_norm(one.text) for one in mine]
        equal_norm += _each_span([one.covariance for one in mine], scaled, config.picks)
        rotated.append(
            textspan.rotated_heads(
                torch.stack([one.covariance for one in mine]),
                text,
                spaces.basis[place],
                own_rank=spaces.rank[place],
                # A rotation that may pick more texts than the head is no fair null.
                k=min(config.picks, max(labels.PICKS)),
                rotations=config.rotations,
                seed=config.seed,
                workers=_THREADS,
            )
        )
    index, share = zip(*rotated, strict=True)
    return HeadTexts(spans, equal_norm, Picks(torch.cat(index), torch.cat(share)))


def _each_span(covariances: list[Tensor], texts: list[Tensor], k: int) -> list[TextSpan]:
    def one(head: int) -> TextSpan:
        return textspan.textspan(covariances[head], texts[head], k=k)

    return textspan.each_head(one, len(texts), _THREADS)
