"""Random halves of the images and of the text pool, and the covariances of heads over them.

A replicate is a random half of the image groups and a random half of the pool, drawn from the seed and the
replicate's own number: the same for every model of a bundle, so that differences between models are paired,
and the same whether 20 replicates are asked for or 200.

Why halves without replacement. With the sampled units n and a statistic close to a mean of them with variance
s²/n, half of the units drawn without replacement leave Var(θ_half - θ) = (s²/(n/2))(1 - 1/2) = s²/n: the
spread of the halves about the whole is that of the whole about what it estimates, with no factor between. It
is the delete-d jackknife at d = n/2 (Shao and Wu 1989, Annals of Statistics 17:1176), and unlike a bootstrap
it never holds a text or an image twice.

Knows nothing of models, labels or TEXTSPAN: counts, tags and moments in, masks out and what
the moments say over them.
"""

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import ComponentMoments

Carried = tuple[tuple[int, ...], ...]
"""Properties of every text; those of none share the number -1."""


class Halves(NamedTuple):
    """What each replicate holds."""

    groups: Bool[Tensor, "replicate group"]
    """Half of the groups that have images."""

    texts: Bool[Tensor, "replicate text"]
    """Half of the pool."""

    quarters: Bool[Tensor, "replicate text"]
    """Half of `texts`: what its other half is judged by, when labels are cross-fitted."""


def halves(
    images: Int[Tensor, " group"], tags: Bool[Tensor, "text property"], *, count: int, seed: int
) -> Halves:
    """The first `count` replicates; replicate r depends on the seed and r alone."""
    present = images.nonzero().flatten().tolist()
    groups = [_half_of_groups(present, Random(f"groups {seed} {number}")) for number in range(count)]
    texts, quarters = _halves_of_pool(_carried(tags), count, seed)
    return Halves(_mask(groups, len(images)), _mask(texts, len(tags)), _mask(quarters, len(tags)))


def splits(tags: Bool[Tensor, "text property"], *, count: int, seed: int) -> Bool[Tensor, "split text"]:
    """One half of each of `count` splits of the pool in two; the other half is the rest."""
    carried = _carried(tags)
    dice = [Random(f"splits {seed} {number}") for number in range(count)]
    return _mask([_half_of_texts(range(len(carried)), carried, one) for one in dice], len(tags))


def covariances(
    images: Int[Tensor, " group"],
    mean: Float[Tensor, "group rank"],
    second: Float[Tensor, "group rank rank"],
    chosen: Bool[Tensor, "replicate group"],
) -> Float[Tensor, "replicate rank rank"]:
    """Covariance of one head over the chosen groups of every replicate; float64.

    That of `moments.pooled` for every row of `chosen`, as one product: second moments about the mean of all
    images are summed, and the replicate's own mean is taken out after. The means lie close together, so
    little is lost to rounding. A replicate without images has a covariance of 0.
    """
    weight = images.double()
    mean = mean - (weight @ mean) / weight.sum().clamp(min=1)
    about = second + weight[:, None, None] * mean[:, :, None] * mean[:, None, :]
    held = chosen.double()
    count = (held @ weight).clamp(min=1)
    own = (held * weight) @ mean / count[:, None]  # [replicate, rank]
    total = (held @ about.flatten(1)).unflatten(1, about.shape[1:])
    return total / count[:, None, None] - own[:, :, None] * own[:, None, :]


def importance(
    images: Int[Tensor, " group"],
    mean: Float[Tensor, "group ... rank"],
    second: Float[Tensor, "group ... rank rank"],
    chosen: Bool[Tensor, "replicate group"],
) -> Float[Tensor, "replicate ..."]:
    """`moments.importance` of heads over the chosen groups of every replicate, no covariance spelled out."""
    held, weight = chosen.double(), chosen.double() * images.double()
    count = weight.sum(1).clamp(min=1).view(-1, *[1] * (mean.dim() - 2))
    mean = mean - torch.tensordot(images.double() / images.sum().clamp(min=1), mean, dims=1)
    within = torch.tensordot(held, second.diagonal(dim1=-2, dim2=-1).sum(-1), dims=1)
    between = torch.tensordot(weight, mean.square().sum(-1), dims=1)
    own = torch.tensordot(weight, mean, dims=1) / count[..., None]
    return ((within + between) / count - own.square().sum(-1)).clamp(min=0).sqrt()


def component_shares(
    moments: ComponentMoments, chosen: Bool[Tensor, "replicate group"]
) -> Float[Tensor, "replicate component"]:
    """`moments.component_shares` over the chosen groups of every replicate; NaN where embeddings are equal.

    The means of groups are multiplied with one another once, for all replicates: their own means are never
    spelled out in d_out.
    """
    held, weight = chosen.double(), chosen.double() * moments.image_count.double()
    count = weight.sum(1).clamp(min=1)
    share = moments.image_count.double() / moments.image_count.sum().clamp(min=1)
    delta = moments.mean - torch.tensordot(share, moments.mean, dims=1)
    embedding = moments.embedding_mean - share @ moments.embedding_mean
    crossed = torch.einsum("gcd,kd->cgk", delta, embedding)
    squared = embedding @ embedding.mT

    cross = held @ moments.cross + weight @ crossed.diagonal(dim1=1, dim2=2).mT
    total = held @ moments.total + weight @ squared.diagonal()
    cross -= torch.stack([(weight @ one * weight).sum(1) for one in crossed], dim=1) / count[:, None]
    total -= (weight @ squared * weight).sum(1) / count
    return cross / total.where(total > 0, torch.nan)[:, None]


def _half_of_groups(groups: list[int], dice: Random) -> list[int]:
    """Half of them, exactly; of an odd number the middle one goes by a coin, of one it stays."""
    odd = len(groups) % 2 and dice.random() < 0.5
    return dice.sample(groups, max(len(groups) // 2 + odd, min(len(groups), 1)))


@lru_cache(maxsize=2)
def _halves_of_pool(carried: Carried, count: int, seed: int) -> tuple[list[list[int]], list[list[int]]]:
    """Half of the pool and half of that half, of every replicate: seconds, and the same for all models."""
    texts, quarters = [], []
    for number in range(count):
        texts.append(_half_of_texts(range(len(carried)), carried, Random(f"texts {seed} {number}")))
        quarters.append(_half_of_texts(texts[-1], carried, Random(f"quarters {seed} {number}")))
    return texts, quarters


def _half_of_texts(rows: Sequence[int], carried: Carried, dice: Random) -> list[int]:
    """Half of the texts of every property: of an odd number the rounding goes by a coin.

    One text after the other, in random order, is kept where its properties have so far kept less than half
    of theirs, left where they have kept more, and goes by a coin where they are even. Texts of several
    properties come first, so that those of one property make up for what they leave uneven: every property
    with as many texts of its own as it is uneven by then ends with its exact half. By symmetry every text is
    kept in half of all draws. The one stratum without a property, of untagged texts, is halved alike.
    """
    order = list(rows)
    dice.shuffle(order)
    order.sort(key=lambda row: -len(carried[row]))
    ahead: dict[int, int] = {}
    kept = []
    for row in order:
        balance = sum(ahead.get(one, 0) for one in carried[row])
        keep = balance < 0 or (balance == 0 and dice.random() < 0.5)
        for one in carried[row]:
            ahead[one] = ahead.get(one, 0) + (1 if keep else -1)
        if keep:
            kept.append(row)
    return kept


def _carried(tags: Bool[Tensor, "text property"]) -> Carried:
    return tuple(tuple(index for index, own in enumerate(row) if own) or (-1,) for row in tags.tolist())


def _mask(rows: list[list[int]], size: int) -> Bool[Tensor, "count size"]:
    mask = torch.zeros(len(rows), size, dtype=torch.bool)
    for number, chosen in enumerate(rows):
        mask[number, chosen] = True
    return mask
