"""How well a head's description holds: on other images, on other texts, with texts of one length.

Every name used here is explained in `glossary`. Knows nothing of models or files: labels and picks of
replicates in, numbers out.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method import metrics

OVERLAP = 10
"""First picks that are compared with those of texts of one length: as many as give the label."""


def stability(
    label: Int[Tensor, "head replicate"], reference: Int[Tensor, " head"]
) -> Float[Tensor, " head"]:
    """#{r: label_r = label} / R: share of the replicates that give the head the label it has on everything.

    NaN for a head without a label (-1), or without replicates. Our own formula; the same for half of the
    images, half of the pool, both, and for the head turned at random. Higher is easier to interpret, and only
    above what rotated heads reach: a label can be stable because the pool favors it everywhere.
    """
    same = (label == reference[:, None]).double().mean(1)  # NaN without replicates
    return same.where(reference >= 0, torch.nan)


def rotated_stability(label: Int[Tensor, "head draw"]) -> Float[Tensor, " head"]:
    """`stability` of a head turned at random: its first label is the one on everything."""
    return stability(label[:, 1:], label[:, 0])


def text_stability(
    first: Int[Tensor, "head replicate position"], held: Bool[Tensor, "replicate text"]
) -> Float[Tensor, "head text"]:
    """#{r: text among the first five} / #{r: the half pool of r holds the text}.

    NaN for a text that no replicate holds. Our own formula. Higher is easier to interpret. Texts that say the
    same take each other's place, so a low share does not mean that a head is not about what a text says.
    """
    texts = held.shape[1]
    flat = first.flatten(1)
    # Picks that were never made count in a column of their own.
    column = torch.where(flat >= 0, flat, texts)
    count = torch.zeros(len(first), texts + 1, dtype=torch.float64)
    count.scatter_add_(1, column, torch.ones_like(column, dtype=torch.float64))
    return count[:, :texts] / held.sum(0)


def positions(chosen: Sequence[int], among: Sequence[int]) -> list[int | None]:
    """Place of each chosen text in another list; None where it is not in it."""
    place = {text: position for position, text in enumerate(among)}
    return [place.get(text) for text in chosen]


def equal_norm_overlap(chosen: Sequence[int], equal_norm: Sequence[int]) -> float | None:
    """|A ∩ B| / min(10, |A|): A the first ten picks, B the first ten when all texts have one length.

    None for a head without picks. Our own formula. Higher is easier to interpret: where it is low, the list
    says as much about which texts lie in the head's space as about what the head writes.
    """
    own, other = set(chosen[:OVERLAP]), set(equal_norm[:OVERLAP])
    return len(own & other) / len(own) if own else None


def stability_metrics(
    stability: Sequence[float | None], rotated: Sequence[float | None], supported: Bool[Tensor, " head"]
) -> list[metrics.ModelMetric]:
    """Mean stability of the heads that have one, and what the same heads reach turned at random.

    Over all and over supported heads. Higher is easier to interpret, above what rotated heads reach.
    """
    rows = []
    for heads_used, used in [("all", [True] * len(stability)), ("supported", supported.tolist())]:
        own = metrics.mean([one for one, takes in zip(stability, used, strict=True) if takes])
        chance = metrics.mean([one for one, takes in zip(rotated, used, strict=True) if takes])
        rows.append(metrics.ModelMetric("mean_stability", heads_used, own, chance))
        rows.append(metrics.ModelMetric("mean_stability_rotated", heads_used, chance, None))
    return rows
