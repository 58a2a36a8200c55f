"""TEXTSPAN and labels of every head over random halves of the images and of the pool, and over split pools.

Two kinds of result. *Replicates* take half of the images and half of the texts at once, and beside them half
of either alone: what other images and texts would change. *Crossed* picks take all images and both halves of
a split pool: a head's label from one half can then be judged on the texts of the other, which did not give
it.

All in float32: what is kept of a pick is its text and which property leads, and both are counted over many
draws. The picks of a replicate do not decide what a page shows of a head.

Knows nothing of models or files: moments, texts and tags in, plain tensors out, to be kept as they are.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import agreement_stats, labels, resampling, textspan
from precompute.method.resampling import Halves
from precompute.method.types import Picks

ALONE = 50
"""Replicates of half of the images alone, and of half of the pool alone: the first of the paired ones."""

ROTATED = 20
"""Replicates of a rotated head, beside its label on everything."""

SPLITS = 20
"""Splits of the pool that cross-fitted consistency is a mean over, in both directions."""

ROTATED_SPLITS = 5
"""Of these, the first that rotated heads are judged on: there are many of them."""


class Resampled(NamedTuple):
    """What the replicates of some heads are named, and the first five texts they pick.

    A label is an index into the pool's properties; -1 where no pick carries a property.
    """

    label: Int[Tensor, "head replicate"]
    """Half of the images, half of the pool."""

    first: Int[Tensor, "head replicate position"]
    """Rows of the pool; -1 where there are fewer picks."""

    quarter_label: Int[Tensor, "head replicate side"]
    """Half of the images, either half of the replicate's half of the pool."""

    quarter_first: Int[Tensor, "head replicate side position"]
    label_images: Int[Tensor, "head alone"]
    """Half of the images, the whole pool; the first `ALONE` replicates."""

    label_texts: Int[Tensor, "head alone"]
    """All images, half of the pool; the first `ALONE` replicates."""

    label_rotated: Int[Tensor, "head draw"]
    """The head turned by one random rotation: first its label on everything, then of `ROTATED` replicates."""


class Crossed(NamedTuple):
    """Labels from either half of a split pool, and the first five texts picked from it."""

    label: Int[Tensor, "head split side"]
    first: Int[Tensor, "head split side position"]
    rotated_label: Int[Tensor, "head rotation split side"]
    """Of heads turned at random; the first `ROTATED_SPLITS` splits."""

    rotated_first: Int[Tensor, "head rotation split side position"]


class LayerMoments(NamedTuple):
    """Group moments of the heads of one layer, as in `Moments`."""

    image_count: Int[Tensor, " group"]
    mean: Float[Tensor, "group head rank"]
    second: Float[Tensor, "group head rank rank"]


class Texts(NamedTuple):
    """What all heads of one layer are described with."""

    text: Float[Tensor, "text d_out"]
    basis: Float[Tensor, "head rank d_out"]
    own_rank: Int[Tensor, " head"]
    tags: Bool[Tensor, "text property"]


class _Named(NamedTuple):
    label: Int[Tensor, " list"]
    first: Int[Tensor, "list position"]


def resample(
    moments: LayerMoments,
    texts: Texts,
    halves: Halves,
    *,
    rotations: int = 199,
    seed: int = 0,
    workers: int = 1,
) -> Resampled:
    """All replicates of the heads of one layer; the same for any number of workers.

    `rotations` and `seed` are those of the labels' null, so that its rotations are made once.
    """

    def one(head: int) -> Resampled:
        own = int(texts.own_rank[head])
        turn = textspan.random_rotations(own, rotations, seed)[head % rotations]
        text = textspan.text_coordinates(texts.text, texts.basis[head]).float()
        head_moments = moments.image_count, moments.mean[:, head], moments.second[:, head]
        covariance = resampling.covariances(*head_moments, halves.groups).float()
        everything = torch.ones(1, len(moments.image_count), dtype=torch.bool)
        whole = resampling.covariances(*head_moments, everything).float()
        plain = _replicates(whole, covariance, text, halves, texts.tags)
        return plain._replace(label_rotated=_rotated(whole, covariance, text, halves, turn, texts.tags))

    each = textspan.each_head(one, len(texts.basis), workers)
    return Resampled(*map(torch.stack, zip(*each, strict=True)))


def cross(
    covariance: Float[Tensor, "head rank rank"],
    texts: Texts,
    splits: Bool[Tensor, "split text"],
    *,
    taken: int,
    rotations: int = 199,
    seed: int = 0,
    workers: int = 1,
) -> Crossed:
    """Picks from both halves of every split, of the heads of one layer and of their first rotations.

    `taken` rotations, of the `rotations` that the labels' null makes from the same `seed`.
    """

    def one(head: int) -> Crossed:
        own = int(texts.own_rank[head])
        text = textspan.text_coordinates(texts.text, texts.basis[head]).float()
        label, first = _both_halves(covariance[head][None].float(), text, splits, texts.tags)
        turn = textspan.random_rotations(own, rotations, seed)[:taken]
        turned = turn @ covariance[head, :own, :own].float() @ turn.mT
        rotated = _both_halves(turned, text[:, :own].contiguous(), splits[:ROTATED_SPLITS], texts.tags)
        return Crossed(label[0], first[0], *rotated)

    each = textspan.each_head(one, len(texts.basis), workers)
    return Crossed(*map(torch.stack, zip(*each, strict=True)))


def no_replicates(heads: int) -> Resampled:
    """What `resample` gives where no replicates are asked for."""
    five = agreement_stats.JUDGED
    shapes = [(0,), (0, five), (0, 2), (0, 2, five), (0,), (0,), (1,)]
    return Resampled(*(torch.full((heads, *shape), -1) for shape in shapes))


def join_resampled(layers: list[Resampled]) -> Resampled:
    """Heads of several layers, one after the other."""
    return Resampled(*map(torch.cat, zip(*layers, strict=True)))


def join_crossed(layers: list[Crossed]) -> Crossed:
    """Heads of several layers, one after the other."""
    return Crossed(*map(torch.cat, zip(*layers, strict=True)))


def judged_on_the_other(
    label: Int[Tensor, "*list side"],
    first: Int[Tensor, "*list side position"],
    tags: Bool[Tensor, "text property"],
) -> Bool[Tensor, "*list side position"]:
    """Whether each of the first texts picked from the *other* half carries the label of this one."""
    return agreement_stats.tag_match(first.flip(-2), label.clamp(min=0), tags) & (label >= 0)[..., None]


def texts_that_judge(
    splits: Bool[Tensor, "split text"], tags: Bool[Tensor, "text property"]
) -> Int[Tensor, "split side property"]:
    """Texts of each property in the half that judges, which is the one that does not give the label."""
    carried = tags.double()  # exact, and faster than integers
    own = torch.stack([splits.double() @ carried, (~splits).double() @ carried], dim=1)
    return own.flip(1).long()


def _replicates(
    whole: Float[Tensor, "1 rank rank"],
    covariance: Float[Tensor, "replicate rank rank"],
    text: Float[Tensor, "text rank"],
    halves: Halves,
    tags: Bool[Tensor, "text property"],
) -> Resampled:
    """The replicates of one head, but for the rotated ones. Each set of covariances is scored once."""
    score = textspan.scores(covariance, text)
    both = _named(covariance, text, tags, text_mask=halves.texts, score=score)
    quarters = [
        _named(covariance, text, tags, text_mask=mask, score=score)
        for mask in (halves.quarters, halves.texts & ~halves.quarters)
    ]
    some = min(ALONE, len(covariance))
    images = _named(covariance[:some], text, tags, score=score[:some])
    same = whole.expand(some, -1, -1), textspan.scores(whole, text).expand(some, -1)
    texts = _named(same[0], text, tags, text_mask=halves.texts[:some], score=same[1])
    quarter_label, quarter_first = (torch.stack(column, dim=1) for column in zip(*quarters, strict=True))
    not_yet = images.label[:0]
    return Resampled(*both, quarter_label, quarter_first, images.label, texts.label, not_yet)


def _rotated(
    whole: Float[Tensor, "1 rank rank"],
    covariance: Float[Tensor, "replicate rank rank"],
    text: Float[Tensor, "text rank"],
    halves: Halves,
    turn: Float[Tensor, "own own"],
    tags: Bool[Tensor, "text property"],
) -> Int[Tensor, " draw"]:
    """Labels of the head turned by one rotation: on everything, then on the first replicates."""
    own = len(turn)
    drawn = torch.cat([whole, covariance[:ROTATED]])[:, :own, :own]
    everything = torch.ones(1, len(text), dtype=torch.bool)
    text_mask = torch.cat([everything, halves.texts[:ROTATED]])
    return _named(turn @ drawn @ turn.mT, text[:, :own].contiguous(), tags, text_mask=text_mask).label


def _both_halves(
    covariance: Float[Tensor, "many rank rank"],
    text: Float[Tensor, "text rank"],
    splits: Bool[Tensor, "split text"],
    tags: Bool[Tensor, "text property"],
) -> tuple[Int[Tensor, "many split side"], Int[Tensor, "many split side position"]]:
    """Label and first texts of every covariance from both halves of every split."""
    text_mask = torch.stack([splits, ~splits], dim=1).flatten(0, 1)  # [split * side, text]
    many, lists = len(covariance), len(text_mask)
    score = textspan.scores(covariance, text).repeat_interleave(lists, dim=0)
    repeated = covariance.repeat_interleave(lists, dim=0)
    found = _named(repeated, text, tags, text_mask=text_mask.repeat(many, 1), score=score)
    shape = (many, len(splits), 2)
    return found.label.unflatten(0, shape), found.first.unflatten(0, shape)


def _named(
    covariance: Float[Tensor, "list rank rank"],
    text: Float[Tensor, "text rank"],
    tags: Bool[Tensor, "text property"],
    *,
    text_mask: Bool[Tensor, "list text"] | None = None,
    score: Float[Tensor, "list text"] | None = None,
) -> _Named:
    """Label of each covariance by its first ten picks, and the first five of them."""
    picks: Picks = textspan.many_picks(
        covariance, text, k=labels.SHOWN_PICKS, text_mask=text_mask, score=score
    )
    found = labels.leading(picks, tags)
    return _Named(found.property.where(found.share > 0, -1), picks.text_index[:, : agreement_stats.JUDGED])


class Draws(NamedTuple):
    """What was drawn, and what the heads pick from it. The axis `head` runs over all heads of the model."""

    halves: Halves
    resampled: Resampled
    splits: Bool[Tensor, "split text"]
    crossed: Crossed
