"""Label accuracy: the share of heads whose label names the head's target attribute.

The target of a head is the attribute with the largest loss under mean-ablation of the head; a head without
any loss has no target. Labels are properties of a text pool: a label is correct if it is the name of the
head's target. A head whose target is no property of the pool is left out, since no label could name it. A
label that is no attribute is wrong, since some attribute is known to have a larger loss.

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
"""A target is sure if its evidence is this number of standard errors above 0."""


class LabelAccuracy(NamedTuple):
    """Share of correct labels, for one attribute or for all together."""

    attribute: str
    """Empty for all together."""

    value: float
    """Share of the heads with this target that have its label; for all together, the mean over attributes."""

    chance: float
    """The same if labels were permuted among these heads: the share of the heads with this label."""

    count: int  # type: ignore[assignment]  # hides tuple.count(), which is not used
    """Number of heads with this target; for all together, with any target."""


def targets(loss: Float[Tensor, "head attribute"], attributes: Sequence[str]) -> list[str | None]:
    """Returns the attribute with the largest loss of each head; None for a head without a loss."""
    largest, columns = (part.tolist() for part in loss.nan_to_num(nan=-torch.inf).max(dim=-1))
    pairs = zip(columns, largest, strict=True)
    return [attributes[column] if value > 0 else None for column, value in pairs]


def strong(selectivity: Float[Tensor, "head attribute"]) -> Bool[Tensor, " head"]:
    """Returns True for a head with one attribute clearly above the others; False if there are no others."""
    if selectivity.shape[-1] < 2:
        return torch.zeros(len(selectivity), dtype=torch.bool)
    first, second = selectivity.nan_to_num(nan=0.0).topk(2, dim=-1).values.unbind(-1)
    return (first >= STRONG) & (first >= TWICE * second)


def sure(fall: Float[Tensor, "head image attribute"], *, min_fall: float = 0.0) -> Bool[Tensor, " head"]:
    """Returns True for a head that would have the same target on another sample; `fall` is each image's loss.

    The mean fall of the attribute with the largest loss must exceed 0, and that of every other attribute, by
    SURE standard errors of the mean over images. The second comparison uses the paired difference over the
    images that have both attributes, if there are any. A fall up to `min_fall` counts as none. NaN marks an
    image without the attribute.
    """
    fall = fall.double()
    mean = fall.nanmean(dim=1).nan_to_num(nan=-torch.inf)
    first = mean.argmax(dim=-1)
    largest = fall.gather(2, first[:, None, None].expand(-1, fall.shape[1], 1))[..., 0]  # [head, image]
    is_sure = _above(largest) & (mean.amax(dim=-1) > min_fall)
    for attribute, other in enumerate(fall.unbind(2)):
        is_sure &= _above(largest - other) | (first == attribute) | other.isnan().all(dim=1)
    return is_sure


def _above(value: Float[Tensor, "head image"]) -> Bool[Tensor, " head"]:
    """Returns True if the mean over images exceeds 0 by SURE standard errors, or if there is no image."""
    count = value.isfinite().sum(dim=1)
    mean = value.nanmean(dim=1)
    spread = (value - mean[:, None]).square().nansum(dim=1) / (count - 1).clamp(min=1)
    return (mean > SURE * (spread / count.clamp(min=1)).sqrt()) | (count == 0)


def label_accuracy(targets: Sequence[str | None], labels: Sequence[str]) -> list[LabelAccuracy]:
    """Returns the accuracy for all attributes together, then for every target; empty without targets."""
    pairs = [(target, label) for target, label in zip(targets, labels, strict=True) if target is not None]
    heads = Counter(target for target, _ in pairs)
    hits = Counter(target for target, label in pairs if label == target)
    label_counts = Counter(label for _, label in pairs)
    by_target = [
        LabelAccuracy(target, hits[target] / count, label_counts[target] / len(pairs), count)
        for target, count in sorted(heads.items())
    ]
    if not by_target:
        return []
    together = fmean(row.value for row in by_target), fmean(row.chance for row in by_target), len(pairs)
    return [LabelAccuracy("", *together), *by_target]


def commonest(targets: Sequence[str | None]) -> list[str]:
    """Returns the baseline that needs no method: the most frequent target as the label of every head."""
    counts = Counter(target for target in targets if target is not None)
    # The first in the alphabet among equally frequent ones.
    return [min(counts, key=lambda target: (-counts[target], target), default="")] * len(targets)


def restrict_to(targets: Sequence[str | None], mask: Sequence[bool]) -> list[str | None]:
    """Returns the targets of the heads in the mask; None for the others."""
    return [target if included else None for target, included in zip(targets, mask, strict=True)]
