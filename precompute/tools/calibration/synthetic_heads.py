"""Synthetic heads with known labels: noise, and noise with one planted property, or with texts of many.

Noise is a covariance with eigenvalues exp(-i/6) and random eigenvectors. A planted head adds the covariance
of one property's texts, projected into the head's space. A mixed head adds variance along ten texts, each of
another property: it lies along texts, but along no property. The signal-to-noise ratio is the ratio of the
two traces.

Knows nothing of models: spaces and text embeddings in, covariances out. `synthetic_setting` replaces a model.
"""

import re
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from precompute.method.types import Pool

DECAY = 6.0
"""Eigenvalue i of the noise is exp(-i / DECAY)."""

MIXED = 10
"""Number of texts of a mixed head, or the number of properties if there are fewer."""

RARE = 0.01
"""The weight of a word is RARE / (RARE + its share of all words of the pool)."""


D_OUT = 512
"""Dimensions of synthetic text embeddings."""


class LabelingSetting(NamedTuple):
    """A text pool, and the spaces of heads that its texts are projected to."""

    pool: Pool
    text: Float[Tensor, "text d_out"]
    """Unit length, float64."""

    basis: Float[Tensor, "space rank d_out"]
    """Orthonormal rows; rows beyond a space's rank are zero."""

    rank: Int[Tensor, " space"]
    """Number of nonzero rows of `basis`."""


class SyntheticHeads(NamedTuple):
    """Heads with known labels."""

    covariance: Float[Tensor, "head rank rank"]
    space: Int[Tensor, " head"]
    """Index into the setting's spaces."""

    property: Int[Tensor, " head"]
    """Index of the planted property; without meaning for noise."""


def make(setting: LabelingSetting, count: int, *, signal: float, seed: int) -> SyntheticHeads:
    """Returns `count` heads in random spaces that cycle through the properties. float64.

    `signal` is the signal-to-noise ratio; 0 gives noise.
    """
    generator = torch.Generator().manual_seed(seed)
    spaces = torch.randint(len(setting.basis), (count,), generator=generator)
    properties = torch.arange(count) % len(setting.pool.properties)
    padded = setting.basis.shape[1]
    covariances = torch.zeros(count, padded, padded, dtype=torch.float64)
    for head, (space, planted) in enumerate(zip(spaces.tolist(), properties.tolist(), strict=True)):
        rank = int(setting.rank[space])
        covariance = noise(rank, generator)
        if signal:
            added = property_covariance(setting, space, planted)
            covariance = covariance + added * (signal * covariance.trace() / added.trace())
        covariances[head, :rank, :rank] = covariance
    return SyntheticHeads(covariances, spaces, properties)


def mixed(setting: LabelingSetting, count: int, *, signal: float, falling: bool, seed: int) -> SyntheticHeads:
    """Returns `count` heads along texts of different properties in random spaces, and no noise if infinite.

    The variance along text i of a head is the same for all, or 1/i with `falling`. `property` is that of the
    first text. float64.
    """
    generator = torch.Generator().manual_seed(seed)
    spaces = torch.randint(len(setting.basis), (count,), generator=generator)
    properties = torch.zeros(count, dtype=torch.long)
    covariances = torch.zeros(count, *[setting.basis.shape[1]] * 2, dtype=torch.float64)
    for head, space in enumerate(spaces.tolist()):
        rank, rows = int(setting.rank[space]), _texts_of_different_properties(setting.pool, generator)
        properties[head] = setting.pool.tags[rows[0]].to(torch.uint8).argmax()
        text = functional.normalize(setting.text[rows] @ setting.basis[space, :rank].double().T)
        place = torch.arange(1, len(rows) + 1, dtype=torch.float64)
        weight = 1 / place if falling else torch.ones_like(place)
        added, covariance = (text.T * weight) @ text, noise(rank, generator)
        ratio = covariance.trace() / added.trace()
        covariances[head, :rank, :rank] = added * ratio + covariance / signal
    return SyntheticHeads(covariances, spaces, properties)


def _texts_of_different_properties(pool: Pool, generator: torch.Generator) -> list[int]:
    """Returns random texts of one property each, no two of the same property."""
    single = pool.tags.sum(1) == 1
    properties = torch.randperm(len(pool.properties), generator=generator)[:MIXED]
    rows = [(pool.tags[:, number] & single).nonzero().flatten() for number in properties.tolist()]
    return [int(row[torch.randint(len(row), (1,), generator=generator)]) for row in rows if len(row)]


def noise(rank: int, generator: torch.Generator) -> Float[Tensor, "rank rank"]:
    """V diag(exp(-i/6)) V', with V uniform over rotations."""
    q, r = torch.linalg.qr(torch.randn(rank, rank, generator=generator, dtype=torch.float64))
    vectors = q * r.diagonal().sign()
    return (vectors * torch.exp(-torch.arange(rank, dtype=torch.float64) / DECAY)) @ vectors.T


def property_covariance(setting: LabelingSetting, space: int, planted: int) -> Float[Tensor, "rank rank"]:
    """Returns the covariance of one property's texts in one space; all texts have equal weight."""
    basis = setting.basis[space, : int(setting.rank[space])].double()
    text = setting.text[setting.pool.tags[:, planted]] @ basis.T
    centered = text - text.mean(dim=0)
    return centered.T @ centered / len(text)


def synthetic_setting(pool: Pool, *, heads: int = 16, rank: int = 67) -> LabelingSetting:
    """Returns synthetic text embeddings of a pool, and random spaces.

    Every word has a random vector. A text is the sum of its words, including those of its sentence frame,
    plus a direction common to all texts, as long as the sum. Frequent words have less weight (Arora, Liang
    and Ma 2017, https://openreview.net/forum?id=SyK00v5xx), as in trained text towers. Different words of one
    property have nothing in common: these embeddings lack the semantic similarity of real ones.
    """
    generator = torch.Generator().manual_seed(0)
    words = [re.findall(r"[\w'-]+", text.lower()) for text in pool.texts]
    index = {word: number for number, word in enumerate(sorted({word for text in words for word in text}))}
    count = torch.bincount(
        torch.tensor([index[word] for text in words for word in text]), minlength=len(index)
    )
    weight = RARE / (RARE + count.double() / count.sum())
    vector = torch.randn(len(index), D_OUT, generator=generator, dtype=torch.float64) * weight[:, None]
    text = functional.normalize(torch.stack([vector[[index[word] for word in row]].sum(0) for row in words]))
    common = functional.normalize(torch.randn(1, D_OUT, generator=generator, dtype=torch.float64))
    directions = torch.randn(heads, D_OUT, rank, generator=generator, dtype=torch.float64)
    basis = torch.linalg.qr(directions).Q.mT.contiguous()
    return LabelingSetting(pool, functional.normalize(text + common), basis, torch.full((heads,), rank))
