"""Heads whose label is known: pure noise, and noise with one property planted in it.

Noise is a covariance with the eigenvalues exp(-i/6) along random eigenvectors. A planted head adds the
covariance of one property's texts, projected into the head's space, with a trace that is the asked multiple
of the noise's: the signal-to-noise ratio.

Knows nothing of models: spaces and text embeddings in, covariances out. `stand_in` makes text embeddings
where there is no model.
"""

import re
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from precompute.method.types import Pool

FALL = 6.0
"""Eigenvalue i of the noise is exp(-i / FALL)."""

RARE = 0.01
"""A word weighs RARE / (RARE + its share of all words of the pool)."""


class LabelingSetting(NamedTuple):
    """What heads are made in: a pool, and spaces that its texts are projected to."""

    pool: Pool
    text: Float[Tensor, "text d_out"]
    """Unit length, float64."""

    basis: Float[Tensor, "space rank d_out"]
    """Orthonormal rows; rows past a space's own rank are zero."""

    rank: Int[Tensor, " space"]
    """Number of rows in use."""


class SyntheticHeads(NamedTuple):
    """Heads of known meaning."""

    covariance: Float[Tensor, "head rank rank"]
    space: Int[Tensor, " head"]
    """Index into the setting's spaces."""

    property: Int[Tensor, " head"]
    """Index into the pool's properties: what is planted; without meaning where nothing is."""


def make(setting: LabelingSetting, count: int, *, signal: float, seed: int) -> SyntheticHeads:
    """`count` heads in spaces drawn at random, properties in turn; `signal` 0 plants nothing. float64."""
    generator = torch.Generator().manual_seed(seed)
    space = torch.randint(len(setting.basis), (count,), generator=generator)
    planted = torch.arange(count) % len(setting.pool.properties)
    padded = setting.basis.shape[1]
    covariance = torch.zeros(count, padded, padded, dtype=torch.float64)
    for head, (where, which) in enumerate(zip(space.tolist(), planted.tolist(), strict=True)):
        own = int(setting.rank[where])
        part = noise(own, generator)
        if signal:
            along = property_covariance(setting, where, which)
            part = part + along * (signal * part.trace() / along.trace())
        covariance[head, :own, :own] = part
    return SyntheticHeads(covariance, space, planted)


def noise(rank: int, generator: torch.Generator) -> Float[Tensor, "rank rank"]:
    """V diag(exp(-i/6)) V', V uniform over rotations."""
    q, r = torch.linalg.qr(torch.randn(rank, rank, generator=generator, dtype=torch.float64))
    vectors = q * r.diagonal().sign()
    return (vectors * torch.exp(-torch.arange(rank, dtype=torch.float64) / FALL)) @ vectors.T


def property_covariance(setting: LabelingSetting, space: int, planted: int) -> Float[Tensor, "rank rank"]:
    """Covariance of one property's texts in one space; each text counts the same."""
    own = setting.basis[space, : int(setting.rank[space])].double()
    text = setting.text[setting.pool.tags[:, planted]] @ own.T
    centered = text - text.mean(dim=0)
    return centered.T @ centered / len(text)


def stand_in(
    pool: Pool, *, d_out: int = 512, heads: int = 16, rank: int = 67, seed: int = 0
) -> LabelingSetting:
    """Text embeddings of no model, and random spaces.

    Every word of the pool has a vector drawn at random; a text is the sum of its words, those of the sentence
    frames included, plus a direction common to all texts, as long as the sum. Frequent words weigh less
    (Arora, Liang and Ma 2017, https://openreview.net/forum?id=SyK00v5xx), as they do in trained text towers.
    Two words of one property have nothing in common: what real embeddings share by meaning is not in here.
    """
    generator = torch.Generator().manual_seed(seed)
    words = [re.findall(r"[\w'-]+", text.lower()) for text in pool.texts]
    place = {word: number for number, word in enumerate(sorted({word for text in words for word in text}))}
    used = torch.bincount(
        torch.tensor([place[word] for text in words for word in text]), minlength=len(place)
    )
    weight = RARE / (RARE + used.double() / used.sum())
    vector = torch.randn(len(place), d_out, generator=generator, dtype=torch.float64) * weight[:, None]
    own = functional.normalize(torch.stack([vector[[place[word] for word in text]].sum(0) for text in words]))
    cone = functional.normalize(torch.randn(1, d_out, generator=generator, dtype=torch.float64))
    turned = torch.randn(heads, d_out, rank, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(turned).Q.mT.contiguous()
    return LabelingSetting(pool, functional.normalize(own + cone), basis, torch.full((heads,), rank))
