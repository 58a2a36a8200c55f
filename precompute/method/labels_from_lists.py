"""Labels of heads of which only ordered lists of texts are known: somebody else's TEXTSPAN results.

With no covariance there are no shares of variance and no rotations. What stands for a share is the place of a
pick: the share that pick i removes falls about as 1/i (mean over the heads of the demo models .32, .18, .12,
.09, .07, .06, .05, .04, .03, .02). So a property scores s = Σ 1/i over those of the first ten picks that
carry it. Of the properties that two picks or more carry, since one text agrees with nothing, the label has
the smallest

    tail = P(S >= s),  S the same sum where ten texts are drawn from the pool without replacement,

exact, in whole numbers. With equal weights this is the hypergeometric tail of `labels`. It is an index, no
p-value: over all properties some tail is always small, and TEXTSPAN favors the same texts in every head. The
p-value comes from lists drawn from what this model's heads pick anyway: a drawn list has as many texts, taken
without replacement from the first twenty of all heads, each as often as heads picked it;

    p = (1 + #{b: tail_b <= tail}) / (1 + draws),  tail_b the smallest tail of drawn list b,

and q is Benjamini and Hochberg's over the heads. A small p says: the first of these texts agree with each
other in one property, more than texts of these heads mixed up. It does not say how much of the head's
variance they hold, nor what a head without meaning would have picked: that takes rotations, and they take the
covariance.
Where most heads of a model are about one property, mixed lists are too, and the p of that property is large.

How it does on a real model: docs/agreement.md. Knows nothing of files or models: picks in, labels out.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from math import lcm, perm

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.method.labels import SHOWN_PICKS, Enrichment, labels_by_enrichment
from precompute.method.types import Label

AGREEING = 2
"""Texts that must carry a property before it can be a label, if any property has as many."""

BACKGROUND = 20
"""First texts of every head that drawn lists are mixed from."""

_WHOLE = lcm(*range(1, SHOWN_PICKS + 1))
"""What 1/i is multiplied by, so that equal sums are equal to the last bit."""


def label_lists(
    picks: Int[Tensor, "head k"],
    tags: Bool[Tensor, "text property"],
    properties: tuple[str, ...],
    *,
    draws: int = 999,
    seed: int = 0,
) -> list[Label]:
    """One label a head, in the order of `picks`; -1 fills up lists that are shorter.

    A head with fewer than ten texts is compared to drawn lists as short; one with none has a p-value of 1.
    Raises ValueError where the shapes do not fit together.
    """
    if tags.shape[1] != len(properties) or not properties:
        raise ValueError(
            f"{len(properties)} names do not fit tags of {tags.shape[1]} properties; "
            "give one name for each column, and at least one."
        )
    first = picks[:, :SHOWN_PICKS]
    drawn = mixed_lists(picks[:, :BACKGROUND], first.shape[1], draws=draws, seed=seed)

    made = (first >= 0).sum(1).tolist()
    observed = [enrich(one[:length], tags) for one, length in zip(first, made, strict=True)]
    # The beginning of a list drawn one by one is a shorter list drawn the same way.
    as_long = {length: enrich(drawn[:, :length], tags) for length in set(made)}
    chance = [as_long[length] for length in made]
    return labels_by_enrichment(_stack(observed), _stack(chance), properties, picks=SHOWN_PICKS)


def enrich(picks: Int[Tensor, "*list k"], tags: Bool[Tensor, "text property"]) -> Enrichment:
    """The property with the smallest tail in each list of at most ten texts, the first of equal ones."""
    places = picks.shape[-1]
    carried = tags[picks]  # [*list, k, property]
    subset = (carried * 2 ** torch.arange(places)[:, None]).sum(-2)  # [*list, property]
    rows = [subset_tails(len(tags), texts, places) for texts in tags.sum(0).tolist()]
    tails = torch.tensor(rows, dtype=torch.float64)[torch.arange(tags.shape[1]), subset]
    hits = carried.sum(-2)
    agreeing = hits >= AGREEING
    tails = tails.where(agreeing | ~agreeing.any(-1, keepdim=True), 1)
    tail = tails.amin(-1)
    best = (tails == tail[..., None]).to(torch.uint8).argmax(-1)
    return Enrichment(best, tail, hits.gather(-1, best[..., None])[..., 0])


@lru_cache(maxsize=1024)
def subset_tails(pool: int, carrying: int, places: int) -> tuple[float, ...]:
    """P(S >= s) for every subset of the first places that may carry the property; bit i - 1 is place i.

    A given subset of c places carries it in perm(carrying, c) perm(pool - carrying, places - c) of
    perm(pool, places) draws.
    """
    ways = [perm(carrying, c) * perm(pool - carrying, places - c) for c in range(places + 1)]
    tails = [0.0] * 2**places
    as_large = 0
    for subsets in _by_falling_sum(places):
        as_large += sum(ways[subset.bit_count()] for subset in subsets)
        for subset in subsets:
            tails[subset] = as_large / perm(pool, places)
    return tuple(tails)


def mixed_lists(
    picks: Int[Tensor, "head k"], length: int, *, draws: int, seed: int
) -> Int[Tensor, "draw length"]:
    """Lists of different texts, drawn one by one, each text as likely as it is common in `picks`.

    Shorter than `length` where there are fewer texts.
    """
    text, times = picks[picks >= 0].unique(return_counts=True)
    uniform = torch.rand(draws, len(text), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    # Clocks of rate `times` ring in the order of such draws (Efraimidis and Spirakis 2006).
    rings = -uniform.log() / times
    return text[rings.argsort(dim=1, stable=True)[:, :length]]


def _stack(lists: Sequence[Enrichment]) -> Enrichment:
    return Enrichment(*(torch.stack(column) for column in zip(*lists, strict=True)))


@cache
def _by_falling_sum(places: int) -> tuple[tuple[int, ...], ...]:
    """Subsets of the places, those of equal sums together, the largest sum first."""
    weights = [_WHOLE // place for place in range(1, places + 1)]
    together: dict[int, list[int]] = {}
    for subset in range(2**places):
        total = sum(weight for place, weight in enumerate(weights) if subset >> place & 1)
        together.setdefault(total, []).append(subset)
    return tuple(tuple(together[total]) for total in sorted(together, reverse=True))
