"""TEXTSPAN and labels of every head over random halves of images and texts, and over splits of the pool.

*Replicates* use half of the images, half of the texts, or both; they measure the effect of other images and
texts. *Crossed* picks use all images and both halves of a split pool, so that the label from one half can be
judged on texts from the other half, which did not give it.

All in float32: only the texts of picks and the leading property are kept, and both are counted over many
draws. Pages do not show the picks of replicates.

Knows nothing of models or files: moments, texts and tags in, plain tensors out.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import agreement_stats, labels, resampling, textspan
from precompute.method.resampling import Halves
from precompute.method.types import Moments

ALONE = 50
"""Number of replicates that halve the images alone, or the pool alone: the first of the paired replicates."""

ROTATED = 20
"""Number of replicates of a rotated head, besides its label on all data."""

SPLITS = 20
"""Number of splits of the pool for cross-fitted consistency, each in both directions."""

ROTATED_SPLITS = 5
"""Number of splits for rotated heads, the first of `SPLITS`: there are many rotated heads."""


class Resampled(NamedTuple):
    """Labels of the replicates of some heads, and the first five texts they pick.

    A label is an index into the pool's properties; -1 where no pick carries a property.
    """

    label: Int[Tensor, "head replicate"]
    """Label over half of the images and half of the pool."""

    first: Int[Tensor, "head replicate position"]
    """Rows of the pool; -1 if there are fewer picks."""

    quarter_label: Int[Tensor, "head replicate side"]
    """Label over half of the images and either quarter of the pool (halves of the replicate's half)."""

    quarter_first: Int[Tensor, "head replicate side position"]
    label_images: Int[Tensor, "head alone"]
    """Label over half of the images and the whole pool, in the first `ALONE` replicates."""

    label_texts: Int[Tensor, "head alone"]
    """Label over all images and half of the pool, in the first `ALONE` replicates."""

    label_rotated: Int[Tensor, "head draw"]
    """Label of the head under one random rotation: on all data, then in the first `ROTATED` replicates."""


class Crossed(NamedTuple):
    """Labels from both halves of every split, and the first five texts picked from each half."""

    label: Int[Tensor, "head split side"]
    first: Int[Tensor, "head split side position"]
    rotated_label: Int[Tensor, "head rotation split side"]
    """Labels of rotated heads, over the first `ROTATED_SPLITS` splits."""

    rotated_first: Int[Tensor, "head rotation split side position"]


class Texts(NamedTuple):
    """Text pool, and the spaces of the heads of one layer."""

    text: Float[Tensor, "text d_out"]
    basis: Float[Tensor, "head rank d_out"]
    own_rank: Int[Tensor, " head"]
    tags: Bool[Tensor, "text property"]


class _ListLabels(NamedTuple):
    label: Int[Tensor, " list"]
    first: Int[Tensor, "list position"]


def resample(
    moments: Moments, texts: Texts, halves: Halves, *, rotations: int = 199, seed: int = 0, workers: int = 1
) -> Resampled:
    """Returns all replicates of the heads of one layer; the same for any number of workers.

    `rotations` and `seed` are those of the labels' null, so that its cached rotations are reused.
    """

    def resample_head(head: int) -> Resampled:
        own_rank = int(texts.own_rank[head])
        rotation = textspan.random_rotations(own_rank, rotations, seed)[head % rotations]
        text = textspan.text_coordinates(texts.text, texts.basis[head]).float()
        covariance = resampling.covariances(moments.at(head), halves.groups).float()
        all_groups = torch.ones(1, len(moments.image_count), dtype=torch.bool)
        whole = resampling.covariances(moments.at(head), all_groups).float()
        rotated = _rotated(whole, covariance, text, halves, rotation, texts.tags)
        return _replicates(whole, covariance, text, halves, texts.tags)._replace(label_rotated=rotated)

    heads = textspan.each_head(resample_head, len(texts.basis), workers)
    return Resampled(*map(torch.stack, zip(*heads, strict=True)))


def cross(
    covariance: Float[Tensor, "head rank rank"],
    texts: Texts,
    splits: Bool[Tensor, "split text"],
    *,
    crossed_rotations: int,
    rotations: int = 199,
    seed: int = 0,
    workers: int = 1,
) -> Crossed:
    """Returns labels and picks from both halves of every split, for the heads of one layer and rotations.

    The rotations are the first `crossed_rotations` of the `rotations` of the labels' null, with the same
    `seed`.
    """

    def cross_head(head: int) -> Crossed:
        own_rank = int(texts.own_rank[head])
        text = textspan.text_coordinates(texts.text, texts.basis[head]).float()
        label, first = _both_halves(covariance[head][None].float(), text, splits, texts.tags)
        rotation = textspan.random_rotations(own_rank, rotations, seed)[:crossed_rotations]
        rotated_covariance = rotation @ covariance[head, :own_rank, :own_rank].float() @ rotation.mT
        own_text = text[:, :own_rank].contiguous()
        rotated = _both_halves(rotated_covariance, own_text, splits[:ROTATED_SPLITS], texts.tags)
        return Crossed(label[0], first[0], *rotated)

    heads = textspan.each_head(cross_head, len(texts.basis), workers)
    return Crossed(*map(torch.stack, zip(*heads, strict=True)))


def no_replicates(heads: int) -> Resampled:
    """Returns the result of `resample` for zero replicates."""
    judged = agreement_stats.TEXTS_JUDGED
    shapes = [(0,), (0, judged), (0, 2), (0, 2, judged), (0,), (0,), (1,)]
    return Resampled(*(torch.full((heads, *shape), -1) for shape in shapes))


def crossfit_tag_match(
    label: Int[Tensor, "*list side"],
    first: Int[Tensor, "*list side position"],
    tags: Bool[Tensor, "text property"],
) -> Bool[Tensor, "*list side position"]:
    """Returns True for each of the first texts from the *other* half that carries this half's label."""
    return agreement_stats.tag_match(first.flip(-2), label.clamp(min=0), tags) & (label >= 0)[..., None]


def judging_text_count(
    splits: Bool[Tensor, "split text"], tags: Bool[Tensor, "text property"]
) -> Int[Tensor, "split side property"]:
    """Returns the number of texts of each property in the half that does not give the label."""
    carried = tags.double()  # exact, and faster than integers
    count = torch.stack([splits.double() @ carried, (~splits).double() @ carried], dim=1)
    return count.flip(1).long()


def _replicates(
    whole: Float[Tensor, "1 rank rank"],
    covariance: Float[Tensor, "replicate rank rank"],
    text: Float[Tensor, "text rank"],
    halves: Halves,
    tags: Bool[Tensor, "text property"],
) -> Resampled:
    """All replicates of one head except the rotated ones. Each set of covariances is scored once."""
    score = textspan.scores(covariance, text)
    both = _label_lists(covariance, text, tags, text_mask=halves.texts, score=score)
    quarters = [
        _label_lists(covariance, text, tags, text_mask=mask, score=score)
        for mask in (halves.quarters, halves.texts & ~halves.quarters)
    ]
    alone = min(ALONE, len(covariance))
    images = _label_lists(covariance[:alone], text, tags, score=score[:alone])
    repeated, score = whole.expand(alone, -1, -1), textspan.scores(whole, text).expand(alone, -1)
    texts = _label_lists(repeated, text, tags, text_mask=halves.texts[:alone], score=score)
    quarter_label, quarter_first = (torch.stack(column, dim=1) for column in zip(*quarters, strict=True))
    no_rotated = images.label[:0]
    return Resampled(*both, quarter_label, quarter_first, images.label, texts.label, no_rotated)


def _rotated(
    whole: Float[Tensor, "1 rank rank"],
    covariance: Float[Tensor, "replicate rank rank"],
    text: Float[Tensor, "text rank"],
    halves: Halves,
    rotation: Float[Tensor, "own_rank own_rank"],
    tags: Bool[Tensor, "text property"],
) -> Int[Tensor, " draw"]:
    """Labels of the head under one rotation: on all data, then in the first replicates."""
    own_rank = len(rotation)
    unrotated = torch.cat([whole, covariance[:ROTATED]])[:, :own_rank, :own_rank]
    all_texts = torch.ones(1, len(text), dtype=torch.bool)
    text_mask = torch.cat([all_texts, halves.texts[:ROTATED]])
    rotated_covariance = rotation @ unrotated @ rotation.mT
    return _label_lists(rotated_covariance, text[:, :own_rank].contiguous(), tags, text_mask=text_mask).label


def _both_halves(
    covariance: Float[Tensor, "batch rank rank"],
    text: Float[Tensor, "text rank"],
    splits: Bool[Tensor, "split text"],
    tags: Bool[Tensor, "text property"],
) -> tuple[Int[Tensor, "batch split side"], Int[Tensor, "batch split side position"]]:
    """Label and first texts of every covariance, from both halves of every split."""
    text_mask = torch.stack([splits, ~splits], dim=1).flatten(0, 1)  # [split * side, text]
    batch, lists = len(covariance), len(text_mask)
    score = textspan.scores(covariance, text).repeat_interleave(lists, dim=0)
    repeated = covariance.repeat_interleave(lists, dim=0)
    label, first = _label_lists(repeated, text, tags, text_mask=text_mask.repeat(batch, 1), score=score)
    shape = (batch, len(splits), 2)
    return label.unflatten(0, shape), first.unflatten(0, shape)


def _label_lists(
    covariance: Float[Tensor, "list rank rank"],
    text: Float[Tensor, "text rank"],
    tags: Bool[Tensor, "text property"],
    *,
    text_mask: Bool[Tensor, "list text"] | None = None,
    score: Float[Tensor, "list text"] | None = None,
) -> _ListLabels:
    """Label of each covariance from its first ten picks, and the first five picks; label -1 if none."""
    picks = textspan.many_picks(covariance, text, k=labels.SHOWN_PICKS, text_mask=text_mask, score=score)
    leading = labels.leading(picks, tags)
    label = leading.property.where(leading.share > 0, -1)
    return _ListLabels(label, picks.text_index[:, : agreement_stats.TEXTS_JUDGED])


class Draws(NamedTuple):
    """Random halves and splits, and the labels and picks of all heads of the model over them."""

    halves: Halves
    resampled: Resampled
    splits: Bool[Tensor, "split text"]
    crossed: Crossed
