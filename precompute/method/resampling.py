"""Random halves of the images and of the text pool, and the covariances of heads over them.

A replicate is a random half of the image groups and a random half of the pool. It depends on the seed and the
number of the replicate alone: it is the same for every model of a bundle, so that differences between models
are paired, and the same for any number of replicates.

Halves are drawn without replacement. For n sampled units and a statistic close to their mean, with variance
s²/n, such a half has Var(θ_half - θ) = (s²/(n/2))(1 - 1/2) = s²/n: the spread of the halves about the whole
equals the spread of the whole about its expectation, without a correction factor. This is the delete-d
jackknife with d = n/2 (Shao and Wu 1989, Annals of Statistics 17:1176). Unlike a bootstrap it never contains
a text or an image twice.

Knows nothing of models, labels or TEXTSPAN: counts, tags and moments in, masks and statistics out.
"""

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import rounding
from precompute.method.types import ComponentMoments, Moments

TextProperties = tuple[tuple[int, ...], ...]
"""Properties of every text; (-1,) for a text without a property."""


class Halves(NamedTuple):
    """Groups and texts of each replicate."""

    groups: Bool[Tensor, "replicate group"]
    """Half of the groups that have images."""

    texts: Bool[Tensor, "replicate text"]
    """Half of the pool."""

    quarters: Bool[Tensor, "replicate text"]
    """Half of `texts`; for cross-fitted labels, either half judges the label from the other."""


def halves(
    image_count: Int[Tensor, " group"], tags: Bool[Tensor, "text property"], *, count: int, seed: int
) -> Halves:
    """Returns the first `count` replicates; replicate r depends on the seed and r alone."""
    present = image_count.nonzero().flatten().tolist()
    groups = [_half_of_groups(present, Random(f"groups {seed} {number}")) for number in range(count)]
    texts, quarters = _halves_of_pool(_text_properties(tags), count, seed)
    return Halves(_mask(groups, len(image_count)), _mask(texts, len(tags)), _mask(quarters, len(tags)))


def splits(tags: Bool[Tensor, "text property"], *, count: int, seed: int) -> Bool[Tensor, "split text"]:
    """Returns one half of each of `count` random splits of the pool; the other half is the complement."""
    properties = _text_properties(tags)
    generators = [Random(f"splits {seed} {number}") for number in range(count)]
    halves = [_half_of_texts(range(len(properties)), properties, generator) for generator in generators]
    return _mask(halves, len(tags))


def covariances(
    moments: Moments, groups: Bool[Tensor, "replicate group"]
) -> Float[Tensor, "replicate rank rank"]:
    """Returns the covariance of one head, from its moments, over the groups of every replicate; float64.

    Equals `moments.pooled` for every row of `groups`, computed as one product: second moments about the mean
    of all images are summed, then the replicate's mean is subtracted. These means are close to each other, so
    rounding errors stay small. A replicate without images has a covariance of 0.
    """
    weight = moments.image_count.double()
    overall = (weight @ moments.mean) / weight.sum().clamp(min=1)
    mean = moments.mean - overall
    about = moments.second + weight[:, None, None] * mean[:, :, None] * mean[:, None, :]
    group_mask = groups.double()
    count = (group_mask @ weight).clamp(min=1)
    replicate_mean = (group_mask * weight) @ mean / count[:, None]  # [replicate, rank]
    total = (group_mask @ about.flatten(1)).unflatten(1, about.shape[1:])
    covariance = total / count[:, None, None] - replicate_mean[:, :, None] * replicate_mean[:, None, :]
    variance = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    square = variance + (replicate_mean + overall).square().sum(-1)
    return covariance.where(rounding.varies(variance, square)[:, None, None], 0)


def importance(moments: Moments, groups: Bool[Tensor, "replicate group"]) -> Float[Tensor, "replicate ..."]:
    """Returns `moments.importance` of heads over the groups of every replicate, without covariances."""
    image_count = moments.image_count.double()
    group_mask, weight = groups.double(), groups.double() * image_count
    count = weight.sum(1).clamp(min=1).view(-1, *[1] * (moments.mean.dim() - 2))
    overall = torch.tensordot(image_count / image_count.sum().clamp(min=1), moments.mean, dims=1)
    mean = moments.mean - overall
    within = torch.tensordot(group_mask, moments.second.diagonal(dim1=-2, dim2=-1).sum(-1), dims=1)
    between = torch.tensordot(weight, mean.square().sum(-1), dims=1)
    replicate_mean = torch.tensordot(weight, mean, dims=1) / count[..., None]
    variance = ((within + between) / count - replicate_mean.square().sum(-1)).clamp(min=0)
    square = variance + (replicate_mean + overall).square().sum(-1)
    return variance.where(rounding.varies(variance, square), 0).sqrt()


def component_shares(
    moments: ComponentMoments, groups: Bool[Tensor, "replicate group"]
) -> Float[Tensor, "replicate component"]:
    """Returns `moments.component_shares` over the groups of every replicate; NaN if embeddings are equal.

    Products of group means are computed once for all replicates, so that no replicate's mean in d_out is
    needed.
    """
    group_mask, weight = groups.double(), groups.double() * moments.image_count.double()
    count = weight.sum(1).clamp(min=1)
    share = moments.image_count.double() / moments.image_count.sum().clamp(min=1)
    delta = moments.mean - torch.tensordot(share, moments.mean, dims=1)
    embedding = moments.embedding_mean - share @ moments.embedding_mean
    products = torch.einsum("gcd,kd->cgk", delta, embedding)  # [component, group, group]
    squares = embedding @ embedding.mT  # [group, group]

    cross = group_mask @ moments.cross + weight @ products.diagonal(dim1=1, dim2=2).mT
    total = group_mask @ moments.total + weight @ squares.diagonal()
    cross -= torch.stack([(weight @ product * weight).sum(1) for product in products], dim=1) / count[:, None]
    total -= (weight @ squares * weight).sum(1) / count
    square = group_mask @ moments.total + weight @ moments.embedding_mean.square().sum(-1)
    return cross / total.where(rounding.varies(total, square), torch.nan)[:, None]


def _half_of_groups(groups: list[int], generator: Random) -> list[int]:
    """Exactly half of the groups; odd counts round up or down at random, a single group is kept."""
    odd = len(groups) % 2 and generator.random() < 0.5
    return generator.sample(groups, max(len(groups) // 2 + odd, min(len(groups), 1)))


@lru_cache(maxsize=2)
def _halves_of_pool(
    properties: TextProperties, count: int, seed: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Half of the pool and half of that half, for every replicate. Takes seconds; cached for all models."""
    texts, quarters = [], []
    for number in range(count):
        texts.append(_half_of_texts(range(len(properties)), properties, Random(f"texts {seed} {number}")))
        quarters.append(_half_of_texts(texts[-1], properties, Random(f"quarters {seed} {number}")))
    return texts, quarters


def _half_of_texts(rows: Sequence[int], properties: TextProperties, generator: Random) -> list[int]:
    """Half of the texts of every property; odd counts round up or down at random.

    Texts are visited in random order. A text is kept if its properties have kept less than half of their
    texts so far, dropped if more, and decided at random if exactly half. Texts of several properties come
    first, so that texts of a single property can restore the balance: a property with enough of them ends
    with exactly half. By symmetry every text is kept in half of all draws. Texts without a property form one
    stratum, halved in the same way.
    """
    order = list(rows)
    generator.shuffle(order)
    order.sort(key=lambda row: -len(properties[row]))
    surplus: dict[int, int] = {}
    half = []
    for row in order:
        balance = sum(surplus.get(number, 0) for number in properties[row])
        keep = balance < 0 or (balance == 0 and generator.random() < 0.5)
        for number in properties[row]:
            surplus[number] = surplus.get(number, 0) + (1 if keep else -1)
        if keep:
            half.append(row)
    return half


def _text_properties(tags: Bool[Tensor, "text property"]) -> TextProperties:
    return tuple(tuple(index for index, tag in enumerate(row) if tag) or (-1,) for row in tags.tolist())


def _mask(rows: list[list[int]], size: int) -> Bool[Tensor, "count size"]:
    mask = torch.zeros(len(rows), size, dtype=torch.bool)
    for number, columns in enumerate(rows):
        mask[number, columns] = True
    return mask
