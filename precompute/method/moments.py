"""Count, mean and second moment of the contributions of every head and component, by group of images.

Two-pass within a batch, Chan et al. 1979 between batches (https://doi.org/10.1080/00031305.1983.10483115):
any split and order of the same images gives the same result up to float64 rounding. The group of an image
depends on the image alone, so that groups can be resampled later and do not depend on batches or shards.

Knows nothing of models, texts or files: tensors in, NamedTuple out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import rounding
from precompute.method.types import ComponentMoments, Decomposition, HeadSpaces, Moments

GROUPS = 64


class Pooled(NamedTuple):
    """Moments over all selected groups."""

    image_count: int
    mean: Float[Tensor, "layer head rank"]
    covariance: Float[Tensor, "layer head rank rank"]
    """Centered second moment / count (not count - 1): its trace is the mean squared direct effect.

    0 for a head whose variance may be rounding alone.
    """


class EarlierMoments(NamedTuple):
    """Part of ComponentMoments for the components before the decomposed layers. Groups with images only.

    Exact, and of a size independent of the number of images: a shard stores this instead of the
    contributions. float64.
    """

    group: Int[Tensor, " present"]
    """Number of each group."""

    mean: Float[Tensor, "present component d_out"]
    cross: Float[Tensor, "present component"]
    """Sum over images of (c - mean)·(e - mean of e)."""


class Component(NamedTuple):
    """One term of the sum that gives the embedding, with its names in the table `component_share`."""

    component: str
    """input, attention L2 (a layer whose heads are not decomposed), head L11.H3 or mlp L11."""

    kind: str
    """input, attention, head or mlp."""

    layer: int | None
    head: int | None


def group_of(image_id: str) -> int:
    """Returns the group of an image, from its id alone: the same in any folder, shard, batch or order."""
    return int(image_id[:8], 16) % GROUPS


def from_coordinates(
    head: Float[Tensor, "image layer head rank"], group: Int[Tensor, " image"], groups: int = GROUPS
) -> Moments:
    """Returns the moments of one batch, or of a whole shard; larger batches cost less per image."""
    head = head.double()
    count = torch.bincount(group, minlength=groups)
    mean = _group_mean(head, group, count)

    second = head.new_zeros(groups, *head.shape[1:], head.shape[-1])
    for number in group.unique().tolist():
        centered = (head[group == number] - mean[number]).permute(1, 2, 3, 0)  # [layer, head, rank, image]
        second[number] = centered @ centered.mT
    return Moments(count, mean, second)


def merge(a: Moments, b: Moments) -> Moments:
    """Returns the moments of the images of both, which must not overlap."""
    count = a.image_count + b.image_count
    share = _share(b.image_count, count)
    delta = b.mean - a.mean
    mean = a.mean + delta * _like(share, delta)

    # This scale makes the outer product the term between the batches, n_a n_b / n (δ δ').
    delta = delta * _like((a.image_count * share).sqrt(), delta)
    second = (a.second + b.second).addcmul_(delta[..., :, None], delta[..., None, :])
    return Moments(count, mean, second)


def pooled(moments: Moments, groups: Bool[Tensor, " group"] | None = None) -> Pooled:
    """Returns mean and covariance over all groups, or over those in the mask `groups`.

    Raises:
        ValueError: the groups have no images.
    """
    if groups is not None:
        moments = Moments(moments.image_count[groups], moments.mean[groups], moments.second[groups])
    count = int(moments.image_count.sum())
    if count == 0:
        raise ValueError("no images in the moments; nothing to pool.")

    weight = _share(moments.image_count, moments.image_count.sum())
    mean = (moments.mean * _like(weight, moments.mean)).sum(0)
    delta = (moments.mean - mean) * _like(weight.sqrt(), moments.mean)
    delta = delta.permute(1, 2, 3, 0)  # [layer, head, rank, group]
    covariance = moments.second.sum(0) / count + delta @ delta.mT
    variance = covariance.diagonal(dim1=-2, dim2=-1).sum(-1)
    varies = rounding.varies(variance, variance + mean.square().sum(-1))
    return Pooled(count, mean, covariance.where(varies[..., None, None], 0))


def importance(covariance: Float[Tensor, "*head rank rank"]) -> Float[Tensor, "*head"]:
    """sqrt(tr S): root mean square direct effect of mean-ablation of a head (Gandelsman et al. 2024).

    Neither end is easier to interpret.
    """
    return covariance.diagonal(dim1=-2, dim2=-1).sum(-1).clamp(min=0).sqrt()


def components(layers: tuple[int, ...], heads: int) -> list[Component]:
    """Returns the entries of the axis `component` of ComponentMoments, in order."""
    before = [(kind, layer) for layer in range(layers[0]) for kind in ("attention", "mlp")]
    places = [(layer, head) for layer in layers for head in range(heads)]
    return [
        Component("input", "input", None, None),
        *(Component(f"{kind} L{layer}", kind, layer, None) for kind, layer in before),
        *(Component(f"head L{layer}.H{head}", "head", layer, head) for layer, head in places),
        *(Component(f"mlp L{layer}", "mlp", layer, None) for layer in layers),
    ]


def earlier_from(
    earlier: Float[Tensor, "image component d_out"],
    embedding: Float[Tensor, "image d_out"],
    group: Int[Tensor, " image"],
) -> EarlierMoments:
    """Returns the moments of one batch's contributions before the decomposed layers."""
    present = group.unique()
    mean, cross = [], []
    for number in present.tolist():  # one by one: in float64, all images at once are 130 MB for a ViT-L-14
        c, e = earlier[group == number].double(), embedding[group == number].double()
        mean.append(c.mean(dim=0))
        cross.append(torch.einsum("icd,id->c", c - mean[-1], e - e.mean(dim=0)))
    return EarlierMoments(present, torch.stack(mean), torch.stack(cross))


def component_from(
    decomposition: Decomposition,
    earlier: EarlierMoments,
    spaces: HeadSpaces,
    group: Int[Tensor, " image"],
    groups: int = GROUPS,
) -> ComponentMoments:
    """Returns component moments of one batch; `earlier` holds the moments of the same images.

    A head's part is computed on its coordinates, (c - mean c)·(e - mean e) = (y - mean y)·Q(e - mean e),
    so that contributions of every image are never expanded to d_out.
    """
    count = torch.bincount(group, minlength=groups)
    embedding = decomposition.embedding.double()
    embedding_mean = _group_mean(embedding, group, count)
    embedding = embedding - embedding_mean[group]
    basis = spaces.basis.double()

    head = decomposition.head.double()
    head_mean = _group_mean(head, group, count)
    embedding_y = torch.einsum("id,lhrd->ilhr", embedding, basis)  # [image, layer, head, rank]
    head_cross = ((head - head_mean[group]) * embedding_y).sum(-1).flatten(1)  # [image, layer * head]

    mlp = decomposition.mlp.double()
    mlp_mean = _group_mean(mlp, group, count)  # [group, layer, d_out]
    mlp_cross = torch.einsum("icd,id->ic", mlp - mlp_mean[group], embedding)

    before_mean = _group_sum(earlier.mean.double(), earlier.group, groups)
    before_cross = _group_sum(earlier.cross.double(), earlier.group, groups)
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
    """Returns the component moments of the images of both, which must not overlap."""
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
    """tr Cov(c, e) / tr Cov(e) of every component: negative if it opposes the rest; they sum to 1.

    NaN if all embeddings are equal up to rounding.
    """
    weight = _share(moments.image_count, moments.image_count.sum())
    delta = moments.mean - torch.einsum("g,gcd->cd", weight, moments.mean)
    embedding_delta = moments.embedding_mean - weight @ moments.embedding_mean

    count = moments.image_count.double()
    cross = moments.cross.sum(0) + torch.einsum("g,gcd,gd->c", count, delta, embedding_delta)
    total = moments.total.sum() + count @ embedding_delta.square().sum(-1)
    square = count @ moments.embedding_mean.square().sum(-1) + moments.total.sum()
    return cross / total.where(rounding.varies(total, square), torch.nan)


def _group_sum(
    value: Float[Tensor, "image ..."], group: Int[Tensor, " image"], groups: int
) -> Float[Tensor, "group ..."]:
    return value.new_zeros(groups, *value.shape[1:]).index_add_(0, group, value)


def _group_mean(
    value: Float[Tensor, "image ..."], group: Int[Tensor, " image"], count: Int[Tensor, " group"]
) -> Float[Tensor, "group ..."]:
    """Mean of each group; 0 for a group without images."""
    total = _group_sum(value, group, len(count))
    return total / _like(count.clamp(min=1).double(), total)


def _share(part: Int[Tensor, " group"], whole: Int[Tensor, "..."]) -> Float[Tensor, " group"]:
    """part / whole, 0 if the whole is 0; in float64, since torch divides integers in float32."""
    return part.double() / whole.clamp(min=1)


def _like(weight: Float[Tensor, " group"], value: Float[Tensor, "group ..."]) -> Float[Tensor, "group ..."]:
    """Weights of groups, reshaped to multiply `value`."""
    return weight.view(-1, *[1] * (value.dim() - 1))
