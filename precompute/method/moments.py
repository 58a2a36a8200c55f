"""Count, mean and second moment of what every head and component writes, kept in groups of images.

Two-pass within a batch, Chan et al. 1979 between batches (https://doi.org/10.1080/00031305.1983.10483115),
so any split and order of the same images gives the same result up to float64 rounding. Groups are a
property of the image alone: they can be resampled later, and leave no trace of batches or shards.

Knows nothing of models, texts or files: tensors in, NamedTuple out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import (
    ComponentMoments,
    Decomposition,
    HeadSpaces,
    Moments,
)

GROUPS = 64


class Pooled(NamedTuple):
    """Moments over all chosen groups."""

    image_count: int
    mean: Float[Tensor, "layer head rank"]
    covariance: Float[Tensor, "layer head rank rank"]
    """Second moment over the count (not the count less one): its trace is the mean squared direct effect."""


class EarlierMoments(NamedTuple):
    """What ComponentMoments needs of the components before the decomposed layers. Groups with images only.

    As exact as the contributions themselves, and independent of the number of images: a shard keeps this
    instead of them. float64.
    """

    group: Int[Tensor, " present"]
    """Number of each group."""

    mean: Float[Tensor, "present component d_out"]
    cross: Float[Tensor, "present component"]
    """Sum over images of (c - mean)·(e - mean of e)."""


class Component(NamedTuple):
    """One term of the sum that makes the embedding, as the table `component_share` names it."""

    component: str
    """input, attention L2 (a layer that is not taken apart by heads), head L11.H3 or mlp L11."""

    kind: str
    """input, attention, head or mlp."""

    layer: int | None
    head: int | None


def group_of(image_id: str) -> int:
    """Group of an image, from its id alone: the same in any folder, shard, batch or order."""
    return int(image_id[:8], 16) % GROUPS


def from_coordinates(
    head: Float[Tensor, "image layer head rank"], group: Int[Tensor, " image"], groups: int = GROUPS
) -> Moments:
    """Moments of one batch, or of a whole shard: the larger, the cheaper per image."""
    head = head.double()
    count = torch.bincount(group, minlength=groups)
    mean = _group_mean(head, group, count)

    second = head.new_zeros(groups, *head.shape[1:], head.shape[-1])
    for number in group.unique().tolist():
        centered = (head[group == number] - mean[number]).permute(1, 2, 3, 0)  # [layer, head, rank, image]
        second[number] = centered @ centered.mT
    return Moments(count, mean, second)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of the images of both, which must not overlap."""
    count = a.image_count + b.image_count
    share = _share(b.image_count, count)
    delta = b.mean - a.mean
    mean = a.mean + delta * _like(share, delta)

    # Scaled so that its outer product is the term between the batches, n_a n_b / n (δ δ').
    delta = delta * _like((a.image_count * share).sqrt(), delta)
    second = (a.second + b.second).addcmul_(delta[..., :, None], delta[..., None, :])
    return Moments(count, mean, second)


def pooled(moments: Moments, chosen: Bool[Tensor, " group"] | None = None) -> Pooled:
    """Mean and covariance over all groups, or over the chosen ones."""
    if chosen is not None:
        moments = Moments(moments.image_count[chosen], moments.mean[chosen], moments.second[chosen])
    count = int(moments.image_count.sum())
    if count == 0:
        raise ValueError("no images in the moments; nothing to pool.")

    weight = _share(moments.image_count, moments.image_count.sum())
    mean = (moments.mean * _like(weight, moments.mean)).sum(0)
    delta = (moments.mean - mean) * _like(weight.sqrt(), moments.mean)
    delta = delta.permute(1, 2, 3, 0)  # [layer, head, rank, group]
    return Pooled(count, mean, moments.second.sum(0) / count + delta @ delta.mT)


def importance(covariance: Float[Tensor, "*head rank rank"]) -> Float[Tensor, "*head"]:
    """sqrt(tr S): root mean square direct effect of replacing a head's output by its mean.

    Mean-ablation as in Gandelsman et al. 2024, its direct effect alone. Neither end is easier to interpret.
    """
    return covariance.diagonal(dim1=-2, dim2=-1).sum(-1).clamp(min=0).sqrt()


def components(layers: tuple[int, ...], heads: int) -> list[Component]:
    """Names of the axis `component` of ComponentMoments, in its order."""
    return [
        Component("input", "input", None, None),
        *(
            Component(f"{kind} L{layer}", kind, layer, None)
            for layer in range(layers[0])
            for kind in ("attention", "mlp")
        ),
        *(
            Component(f"head L{layer}.H{head}", "head", layer, head)
            for layer in layers
            for head in range(heads)
        ),
        *(Component(f"mlp L{layer}", "mlp", layer, None) for layer in layers),
    ]


def earlier_from(
    earlier: Float[Tensor, "image component d_out"],
    embedding: Float[Tensor, "image d_out"],
    group: Int[Tensor, " image"],
) -> EarlierMoments:
    """Moments of one batch's contributions before the decomposed layers."""
    present = group.unique()
    mean, cross = [], []
    for number in present.tolist():  # one by one: in float64, all images at once are 130 MB for a ViT-L-14
        own, whole = earlier[group == number].double(), embedding[group == number].double()
        mean.append(own.mean(dim=0))
        cross.append(torch.einsum("icd,id->c", own - mean[-1], whole - whole.mean(dim=0)))
    return EarlierMoments(present, torch.stack(mean), torch.stack(cross))


def component_from(
    decomposition: Decomposition,
    earlier: EarlierMoments,
    spaces: HeadSpaces,
    group: Int[Tensor, " image"],
    groups: int = GROUPS,
) -> ComponentMoments:
    """Component moments of one batch, of whose images `earlier` is.

    A head's part is computed on its coordinates, (c - mean c)·(e - mean e) = (y - mean y)·Q(e - mean e),
    so that contributions are never spelled out in d_out for every image.
    """
    count = torch.bincount(group, minlength=groups)
    embedding = decomposition.embedding.double()
    embedding_mean = _group_mean(embedding, group, count)
    embedding = embedding - embedding_mean[group]
    basis = spaces.basis.double()

    head = decomposition.head.double()
    head_mean = _group_mean(head, group, count)
    seen = torch.einsum("id,lhrd->ilhr", embedding, basis)  # [image, layer, head, rank]
    head_cross = ((head - head_mean[group]) * seen).sum(-1).flatten(1)  # [image, layer * head]

    mlp = decomposition.mlp.double()
    mlp_mean = _group_mean(mlp, group, count)  # [group, layer, d_out]
    mlp_cross = torch.einsum("icd,id->ic", mlp - mlp_mean[group], embedding)

    before_mean, before_cross = (_group_sum(one.double(), earlier.group, groups) for one in earlier[1:])
    mean = torch.einsum("glhr,lhrd->glhd", head_mean, basis).flatten(1, 2)
    cross = _group_sum(torch.cat([head_cross, mlp_cross], dim=1), group, groups)
    return ComponentMoments(
        count,
        torch.cat([before_mean, mean, mlp_mean], dim=1),
        embedding_mean,
        torch.cat([before_cross, cross], dim=1),
        _group_sum(embedding.square().sum(-1), group, groups),
    )


def merge_components(a: ComponentMoments, b: ComponentMoments) -> ComponentMoments:
    """Component moments of the images of both, which must not overlap."""
    count = a.image_count + b.image_count
    share = _share(b.image_count, count)
    between = a.image_count * share
    delta = b.mean - a.mean
    embedding_delta = b.embedding_mean - a.embedding_mean
    return ComponentMoments(
        count,
        a.mean + delta * _like(share, delta),
        a.embedding_mean + embedding_delta * share[:, None],
        a.cross + b.cross + torch.einsum("gcd,gd->gc", delta, embedding_delta) * between[:, None],
        a.total + b.total + embedding_delta.square().sum(-1) * between,
    )


def component_shares(moments: ComponentMoments) -> Float[Tensor, " component"]:
    """tr Cov(c, e) / tr Cov(e) of every component: negative where it works against the rest; the sum is 1."""
    weight = _share(moments.image_count, moments.image_count.sum())
    delta = moments.mean - torch.einsum("g,gcd->cd", weight, moments.mean)
    embedding_delta = moments.embedding_mean - weight @ moments.embedding_mean

    cross = moments.cross.sum(0) + torch.einsum(
        "g,gcd,gd->c", moments.image_count.double(), delta, embedding_delta
    )
    total = moments.total.sum() + moments.image_count.double() @ embedding_delta.square().sum(-1)
    if total <= 0:
        raise ValueError("all embeddings are equal; the share of a component is not defined.")
    return cross / total


def _group_sum(
    value: Float[Tensor, "image ..."], group: Int[Tensor, " image"], groups: int
) -> Float[Tensor, "group ..."]:
    return value.new_zeros(groups, *value.shape[1:]).index_add_(0, group, value)


def _group_mean(
    value: Float[Tensor, "image ..."], group: Int[Tensor, " image"], count: Int[Tensor, " group"]
) -> Float[Tensor, "group ..."]:
    """Mean of each group; 0 where a group has no image."""
    total = _group_sum(value, group, len(count))
    return total / _like(count.clamp(min=1).double(), total)


def _share(part: Int[Tensor, " group"], whole: Int[Tensor, "..."]) -> Float[Tensor, " group"]:
    """part / whole in float64, 0 where the whole is; torch divides integers in float32."""
    return part.double() / whole.clamp(min=1)


def _like(weight: Float[Tensor, " group"], value: Float[Tensor, "group ..."]) -> Float[Tensor, "group ..."]:
    """One weight a group, shaped to multiply `value`."""
    return weight.view(-1, *[1] * (value.dim() - 1))
