"""Labels against the target attributes of heads: does a label name what the head acts on?

The target of a head is the attribute that loses most when the head is mean-ablated; a head whose ablation
costs no attribute anything has none. Labels are properties of a text pool: a label is right if it is the name
of the head's target. A head whose target is no property of the pool cannot be named by it and is left out; a
label that is no attribute is wrong, since some attribute is known to lose more.

Knows nothing of models or files: names and tables in, numbers out.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

STRONG, TWICE = 0.25, 2.0
"""A head is strong if its largest ε² is at least STRONG and TWICE the next."""

SURE = 2.0
"""A target is sure if what it rests on is as many standard errors above 0."""


class LabelAccuracy(NamedTuple):
    """How often labels are right, for one attribute or for all together."""

    attribute: str
    """Empty for all together."""

    value: float
    """Share of the heads of this target that are labeled so; all together: the mean over attributes."""

    chance: float
    """The same if the labels were permuted among these heads: the share of them with this label."""

    heads: int
    """Of this target; all together: of any."""


def targets(loss: Float[Tensor, "head attribute"], attributes: Sequence[str]) -> list[str | None]:
    """The attribute that loses most with each head; None where nothing is lost."""
    loss = loss.nan_to_num(nan=-torch.inf)
    most, place = loss.max(dim=-1)
    return [attributes[at] if of > 0 else None for at, of in zip(place.tolist(), most.tolist(), strict=True)]


def strong(selectivity: Float[Tensor, "head attribute"]) -> Bool[Tensor, " head"]:
    """Heads that go with one attribute clearly more than with the others; none if there are no others."""
    if selectivity.shape[-1] < 2:
        return torch.zeros(len(selectivity), dtype=torch.bool)
    first, second = selectivity.nan_to_num(nan=0.0).topk(2, dim=-1).values.unbind(-1)
    return (first >= STRONG) & (first >= TWICE * second)


def sure(fall: Float[Tensor, "head image attribute"], *, least: float = 0.0) -> Bool[Tensor, " head"]:
    """Whether another sample of images would give each head the same target. `fall` is what each image loses.

    The mean fall of the attribute that loses most must exceed 0, and that of the next attribute, by SURE
    standard errors of the mean over images; the second by the paired difference over the images that
    answer for both, where there are any. A fall up to `least` is none. NaN where an image does not answer.
    """
    fall = fall.double()
    mean = fall.nanmean(dim=1).nan_to_num(nan=-torch.inf)
    first = mean.argmax(dim=-1)
    own = fall.gather(2, first[:, None, None].expand(-1, fall.shape[1], 1))  # [head, image, 1]
    found = _above(own[..., 0]) & (mean.amax(dim=-1) > least)
    for other in range(fall.shape[2]):
        ahead = _above(own[..., 0] - fall[..., other])
        found &= ahead | (first == other) | fall[..., other].isnan().all(dim=1)
    return found


def _above(value: Float[Tensor, "head image"]) -> Bool[Tensor, " head"]:
    """Whether the mean over images exceeds 0 by SURE standard errors; no image in common says nothing."""
    count = value.isfinite().sum(dim=1)
    mean = value.nanmean(dim=1)
    spread = (value - mean[:, None]).square().nansum(dim=1) / (count - 1).clamp(min=1)
    return (mean > SURE * (spread / count.clamp(min=1)).sqrt()) | (count == 0)


def label_accuracy(targets: Sequence[str | None], labels: Sequence[str]) -> list[LabelAccuracy]:
    """All together, then every attribute that is the target of a head; empty where there is none."""
    pairs = [(target, label) for target, label in zip(targets, labels, strict=True) if target is not None]
    heads = Counter(target for target, _ in pairs)
    hits = Counter(target for target, label in pairs if label == target)
    label_counts = Counter(label for _, label in pairs)
    each = [
        LabelAccuracy(target, hits[target] / count, label_counts[target] / len(pairs), count)
        for target, count in sorted(heads.items())
    ]
    if not each:
        return []
    together = fmean(row.value for row in each), fmean(row.chance for row in each), len(pairs)
    return [LabelAccuracy("", *together), *each]


def commonest(targets: Sequence[str | None]) -> list[str]:
    """The baseline that needs no method: the commonest target for every head."""
    counts = Counter(target for target in targets if target is not None)
    # The first in the alphabet of equals.
    return [min(counts, key=lambda target: (-counts[target], target), default="")] * len(targets)


def restrict_to(targets: Sequence[str | None], mask: Sequence[bool]) -> list[str | None]:
    """The targets of the heads in the mask; None for the others."""
    return [target if included else None for target, included in zip(targets, mask, strict=True)]
