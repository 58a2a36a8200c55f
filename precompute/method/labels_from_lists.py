"""Labels of heads from ordered lists of texts alone, such as published TEXTSPAN results.

Without a covariance there are no variance shares and no rotations. The position of a pick replaces its share:
the share that pick i removes falls about as 1/i (mean over the heads of the demo models .32, .18, .12, .09,
.07, .06, .05, .04, .03, .02). A property scores s = Σ 1/i over those of the first ten picks that carry it.
Among the properties that at least two picks carry (one text cannot agree with another), the label has the
smallest

    tail = P(S >= s),  S the same sum for ten texts drawn from the pool without replacement,

exact, in integers. With equal weights this is the hypergeometric tail of `labels`. It is an index, not a
p-value: some property always has a small tail, and TEXTSPAN favors the same texts in every head. The p-value
compares with mixed lists: a mixed list has as many texts, drawn without replacement from the first twenty
texts of all heads of the model, with probability proportional to how often heads picked each text;

    p = (1 + #{b: tail_b <= tail}) / (1 + draws),  tail_b the smallest tail of mixed list b,

and q follows Benjamini and Hochberg over the heads. A small p means that the first texts of the head agree in
one property more than mixed lists do. It does not measure how much of the head's variance they explain, nor
what a head without meaning would pick: that needs rotations, and rotations need the covariance. If most heads
of a model are about one property, so are the mixed lists, and the p of that property is large.

Results on a real model: docs/agreement.md. Knows nothing of files or models: picks in, labels out.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from math import lcm, perm

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.method.labels import SHOWN_PICKS, Enrichment, labels_by_enrichment
from precompute.method.types import MIN_CARRYING, Label

RULE = "text lists"
"""Name of the rule in the table `model`."""

MIN_HITS = MIN_CARRYING
"""Minimum number of texts that carry a label's property, if any property has as many."""

BACKGROUND = 20
"""Number of first texts of every head from which mixed lists are drawn."""

_DENOMINATOR = lcm(*range(1, SHOWN_PICKS + 1))
"""Common denominator of 1/i: sums are integers, so that equal ones are equal to the last bit."""


def label_lists(
    picks: Int[Tensor, "head k"],
    tags: Bool[Tensor, "text property"],
    properties: tuple[str, ...],
    *,
    draws: int = 999,
    seed: int = 0,
) -> list[Label]:
    """Returns one label a head, in the order of `picks`; -1 pads shorter lists.

    A head with fewer than ten texts is compared to mixed lists of the same length; a head without texts has a
    p-value of 1.

    Raises:
        ValueError: the number of names is 0 or differs from the number of properties.
    """
    if tags.shape[1] != len(properties) or not properties:
        raise ValueError(
            f"{len(properties)} names do not fit tags of {tags.shape[1]} properties; "
            "give one name for each column, and at least one."
        )
    first = picks[:, :SHOWN_PICKS]
    mixed = mixed_lists(picks[:, :BACKGROUND], first.shape[1], draws=draws, seed=seed)

    lengths = (first >= 0).sum(1).tolist()
    observed = [enrich(row[:length], tags) for row, length in zip(first, lengths, strict=True)]
    # Texts are drawn one by one, so the beginning of a mixed list is a shorter mixed list.
    by_length = {length: enrich(mixed[:, :length], tags) for length in set(lengths)}
    chance = [by_length[length] for length in lengths]
    return labels_by_enrichment(_stack(observed), _stack(chance), properties, picks=SHOWN_PICKS)


def enrich(picks: Int[Tensor, "*list k"], tags: Bool[Tensor, "text property"]) -> Enrichment:
    """Returns the property with the smallest tail in each list of at most ten texts; the first if tied."""
    places = picks.shape[-1]
    carried = tags[picks]  # [*list, k, property]
    subset = (carried * 2 ** torch.arange(places)[:, None]).sum(-2)  # [*list, property]
    rows = [subset_tails(len(tags), texts, places) for texts in tags.sum(0).tolist()]
    tails = torch.tensor(rows, dtype=torch.float64)[torch.arange(tags.shape[1]), subset]
    hits = carried.sum(-2)
    eligible = hits >= MIN_HITS
    tails = tails.where(eligible | ~eligible.any(-1, keepdim=True), 1)
    tail = tails.amin(-1)
    best = (tails == tail[..., None]).to(torch.uint8).argmax(-1)
    return Enrichment(best, tail, hits.gather(-1, best[..., None])[..., 0])


@lru_cache(maxsize=1024)
def subset_tails(pool_size: int, carriers: int, places: int) -> tuple[float, ...]:
    """P(S >= s) for every subset of places that may carry the property; bit i - 1 stands for place i.

    One subset of c places occurs in perm(carriers, c) perm(pool_size - carriers, places - c) of
    perm(pool_size, places) draws.
    """
    ways = [perm(carriers, c) * perm(pool_size - carriers, places - c) for c in range(places + 1)]
    tails = [0.0] * 2**places
    as_large = 0
    for subsets in _by_falling_sum(places):
        as_large += sum(ways[subset.bit_count()] for subset in subsets)
        for subset in subsets:
            tails[subset] = as_large / perm(pool_size, places)
    return tuple(tails)


def mixed_lists(
    picks: Int[Tensor, "head k"], length: int, *, draws: int, seed: int
) -> Int[Tensor, "draw length"]:
    """Returns lists of distinct texts, drawn one by one in proportion to their count in `picks`.

    Lists are shorter than `length` if there are fewer texts.
    """
    text, counts = picks[picks >= 0].unique(return_counts=True)
    uniform = torch.rand(draws, len(text), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    # Exponential clocks give weighted sampling without replacement (Efraimidis and Spirakis 2006).
    clocks = -uniform.log() / counts
    return text[clocks.argsort(dim=1, stable=True)[:, :length]]


def _stack(lists: Sequence[Enrichment]) -> Enrichment:
    return Enrichment(*(torch.stack(column) for column in zip(*lists, strict=True)))


@cache
def _by_falling_sum(places: int) -> tuple[tuple[int, ...], ...]:
    """Subsets of the places, grouped by sum, the largest sum first."""
    weights = [_DENOMINATOR // place for place in range(1, places + 1)]
    by_sum: dict[int, list[int]] = {}
    for subset in range(2**places):
        total = sum(weight for place, weight in enumerate(weights) if subset >> place & 1)
        by_sum.setdefault(total, []).append(subset)
    return tuple(tuple(by_sum[total]) for total in sorted(by_sum, reverse=True))
