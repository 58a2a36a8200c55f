"""Labels by enrichment: the property that a head's first texts share more than a random draw would.

The hypergeometric tail that ranks properties is an index, not a p-value: TEXTSPAN's picks are greedy and
favor texts of large projected norm. The p-value comes from the same head turned at random inside its own
space, and its q-value from Benjamini and Hochberg 1995 over the heads of one model.

Knows nothing of covariances or TEXTSPAN: picks in (of heads and of rotated heads), labels out.
"""

from functools import lru_cache
from math import comb
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.types import Label

PICKS = (5, 10, 20)
"""Numbers of first texts that a label is computed from; all are stored."""

CHOSEN_PICKS = 10
"""The one of them whose label is shown."""


class Enrichment(NamedTuple):
    """The most enriched property of each list of picks."""

    property: Int[Tensor, "*list"]
    """Index into the pool's properties; the lower one where two tails are equal."""

    tail: Float[Tensor, "*list"]
    """Hypergeometric tail of that property, float64; 1 where the list is empty."""

    hits: Int[Tensor, "*list"]
    """Number of picks that carry it."""


def hypergeometric_tail(pool: int, carrying: int, drawn: int, count: int) -> float:
    """P(X >= count), X = texts with the property among `drawn` from a `pool` of which `carrying` have it.

    In whole numbers, so equal on every machine to the last bit: ties between properties and between a head
    and its rotations are then ties everywhere.
    """
    ways = sum(
        comb(carrying, hits) * comb(pool - carrying, drawn - hits)
        for hits in range(count, min(carrying, drawn) + 1)
    )
    return ways / comb(pool, drawn)


def enrich(picks: Int[Tensor, "*list k"], tags: Bool[Tensor, "text property"]) -> Enrichment:
    """Most enriched property of every list of picks; -1 stands for a pick that was never made."""
    made = picks >= 0
    counts = (tags[picks.clamp(min=0)] & made[..., None]).sum(-2)  # [*list, property]
    tails = _tails(tags, made.sum(-1), counts)
    tail, best = tails.min(-1)
    # min does not promise which of two equals it returns; argmax of a comparison does.
    best = (tails == tail[..., None]).to(torch.uint8).argmax(-1)
    return Enrichment(best, tail, counts.gather(-1, best[..., None])[..., 0])


def label_heads(
    observed: Enrichment, rotated: Enrichment, properties: tuple[str, ...], *, picks: int
) -> list[Label]:
    """Labels of all heads of one model, from their enrichment and that of their rotations.

    `observed` has shape [head], `rotated` [head, rotation]; both were computed from the first `picks` texts.
    """
    p = p_values(observed.tail, rotated.tail)
    q = benjamini_hochberg(p)
    return [
        Label(properties[index], picks, tail, p_value, q_value)
        for index, tail, p_value, q_value in zip(
            observed.property.tolist(), observed.tail.tolist(), p.tolist(), q.tolist(), strict=True
        )
    ]


def p_values(
    observed: Float[Tensor, " head"], rotated: Float[Tensor, "head rotation"]
) -> Float[Tensor, " head"]:
    """p = (1 + #{b: tail_b <= tail}) / (1 + B): never 0, and at most 0.05 by chance in 5 % of heads."""
    as_small = (rotated <= observed[:, None]).sum(1)
    return (1 + as_small).double() / (1 + rotated.shape[1])


def benjamini_hochberg(p: Float[Tensor, " head"]) -> Float[Tensor, " head"]:
    """q-values: q_(i) = min over j >= i of p_(j) n / j, at most 1."""
    ranked, order = p.sort(descending=True)
    scaled = ranked * len(p) / torch.arange(len(p), 0, -1, dtype=p.dtype)
    q = torch.empty_like(p)
    q[order] = scaled.cummin(0).values.clamp(max=1)
    return q


def _tails(
    tags: Bool[Tensor, "text property"], drawn: Int[Tensor, "*list"], counts: Int[Tensor, "*list property"]
) -> Float[Tensor, "*list property"]:
    """Hypergeometric tail of every property in every list; texts without any property count in the pool."""
    carrying = tags.sum(0)
    tails = torch.empty(counts.shape, dtype=torch.float64)
    for number in drawn.unique().tolist():
        rows = [_tail_row(len(tags), texts, number) for texts in carrying.tolist()]
        table = torch.tensor(rows, dtype=torch.float64)  # [property, count]
        here = drawn == number
        tails[here] = table[torch.arange(len(carrying)), counts[here]]
    return tails


@lru_cache(maxsize=4096)
def _tail_row(pool: int, carrying: int, drawn: int) -> tuple[float, ...]:
    return tuple(hypergeometric_tail(pool, carrying, drawn, count) for count in range(drawn + 1))
