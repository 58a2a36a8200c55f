"""Stability of a head's description: over other images, other texts, and texts of equal length.

`metric_info` describes every metric. Knows nothing of models or files: labels and picks of replicates in,
numbers out.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import metrics

OVERLAP = 10
"""Number of first picks compared with the picks among texts of equal length: as many as give the label."""


def stability(
    label: Int[Tensor, "head replicate"], reference: Int[Tensor, " head"]
) -> Float[Tensor, " head"]:
    """#{r: label_r = label} / R: share of replicates that give the head the label it has on all data.

    NaN for a head without a label (-1), or without replicates. Our own formula; the same for half of the
    images, half of the pool, both, and rotated heads. Higher is easier to interpret, but only above the value
    of rotated heads: a label can be stable because the pool favors it in every head.
    """
    same = (label == reference[:, None]).double().mean(1)  # NaN without replicates
    return same.where(reference >= 0, torch.nan)


def rotated_stability(label: Int[Tensor, "head draw"]) -> Float[Tensor, " head"]:
    """Returns `stability` of rotated heads; column 0 holds the label on all data."""
    return stability(label[:, 1:], label[:, 0])


def text_stability(
    first: Int[Tensor, "head replicate position"], text_mask: Bool[Tensor, "replicate text"]
) -> Float[Tensor, "head text"]:
    """#{r: text among the first five} / #{r: the half pool of r contains the text}.

    NaN for a text in no replicate. Our own formula. Higher is easier to interpret. Near-synonyms substitute
    for each other, so a low share does not mean that the text describes the head badly.
    """
    texts = text_mask.shape[1]
    flat = first.flatten(1)
    # Missing picks (-1) are counted in an extra column.
    column = torch.where(flat >= 0, flat, texts)
    count = torch.zeros(len(first), texts + 1, dtype=torch.float64)
    count.scatter_add_(1, column, torch.ones_like(column, dtype=torch.float64))
    return count[:, :texts] / text_mask.sum(0)


def positions(texts: Sequence[int], reference: Sequence[int]) -> list[int | None]:
    """Returns the position of each text in the reference list; None if it is not there."""
    place = {text: position for position, text in enumerate(reference)}
    return [place.get(text) for text in texts]


def overlap(
    first: Sequence, second: Sequence, k: int, *, of: Literal["first", "longer"] = "first"
) -> float | None:
    """|A ∩ B| / |A|, with A and B the first `k` of each list; / max(|A|, |B|) with `of="longer"`.

    None if that denominator is 0.
    """
    a, b = set(first[:k]), set(second[:k])
    size = len(a) if of == "first" else max(len(a), len(b))
    return len(a & b) / size if size else None


def equal_norm_overlap(picks: Sequence[int], equal_norm_picks: Sequence[int]) -> float | None:
    """|A ∩ B| / min(10, |A|): A the first ten picks, B the first ten picks among texts of equal length.

    None for a head without picks. Our own formula. Higher is easier to interpret: if it is low, the list
    depends as much on which texts lie in the head's space as on the output of the head.
    """
    return overlap(picks, equal_norm_picks, OVERLAP)


def stability_metrics(
    stability: Sequence[float | None], rotated: Sequence[float | None], supported: Bool[Tensor, " head"]
) -> list[metrics.ModelMetric]:
    """Returns the mean stability of heads and of their rotations, over all and over supported heads.

    Higher is easier to interpret, but only above the value of rotated heads.
    """
    rows = metrics.head_means("mean_stability", stability, supported, rotated)
    return rows + metrics.head_means("mean_stability_rotated", rotated, supported)
