"""Labels: the property whose texts, among a head's first picks, remove most of its variance.

Let v_i be the share of variance that pick i removes. A property has the score s = Σ v_i^1.6 over the picks
that carry it, and the label is the property with the largest score. The power is above 1 so that many
low-variance picks do not outweigh one high-variance pick.

The test statistic of a label is its lead: s minus its mean over rotations, minus the same of the next
property. The score s is no test statistic: a trained head aligns with texts of any kind better than a rotated
one, so all its scores are large, but the lead is large only if one property stands out. The mean is
subtracted because properties of long texts lead in any head. The label by enrichment is stored too. It
counts picks unweighted; its hypergeometric tail is an index, since picks are greedy and favor long texts.

The lead alone can come from one text: a head along ten texts of ten properties leads by the strongest of
them, and no rotation lies along any text as closely. So `Label.supported` also needs two picks that carry
the label.

p-values of both come from rotated heads (random rotations of the head inside its own space), q-values from
Benjamini and Hochberg 1995 over the heads of one model. Alternatives and measurements:
docs/decisions/0003-labels-offline.md, docs/calibration.md.

Knows nothing of covariances or TEXTSPAN: picks in (of heads and of rotated heads), labels out.
"""

from functools import lru_cache
from math import comb
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.method.types import Label, Picks

PICKS = (5, 10, 20)
"""Numbers of first texts for labels by enrichment; a label for each number is stored."""

SHOWN_PICKS = 10
"""Number of first texts for the label that pages show, the one by variance share."""

VARIANCE_SHARE, ENRICHMENT = "variance_share", "enrichment"
"""Names of the methods in the table `head_label`."""

RULE = "variance share"
"""Name of the rule of the offline label in the table `model`."""

POWER = 1.6
"""Exponent of a pick's variance share. At 1 low-variance picks decide labels; at 2 every head that aligns
with few texts becomes significant, whatever their properties."""

TIE = 1e-9
"""Scores closer than this are equal: the same picks carry both properties, and only rounding differs."""


class Leading(NamedTuple):
    """The property whose texts remove most variance in each list of picks."""

    property: Int[Tensor, "*list"]
    """Index into the pool's properties; the lower one where two scores are equal."""

    share: Float[Tensor, "*list"]
    """Share of the head's variance that its picks remove, float64; 0 where the list is empty."""

    score: Float[Tensor, "*list property"]
    """Σ v_i^POWER of every property, float64; 0 where the list is empty."""

    carrying: Int[Tensor, "*list"]
    """Number of picks that carry the property."""


class Enrichment(NamedTuple):
    """The most enriched property of each list of picks."""

    property: Int[Tensor, "*list"]
    """Index into the pool's properties; the lower one where two tails are equal."""

    tail: Float[Tensor, "*list"]
    """Hypergeometric tail of that property, float64; 1 where the list is empty."""

    hits: Int[Tensor, "*list"]
    """Number of picks that carry the property."""


def hypergeometric_tail(pool_size: int, carriers: int, draws: int, min_hits: int) -> float:
    """P(X >= min_hits), X = number of carriers among `draws` texts from a pool.

    `carriers` texts of the pool have the property. Integer arithmetic gives the same bits on every machine,
    so ties between properties, and between a head and its rotations, are ties everywhere.
    """
    ways = sum(
        comb(carriers, hits) * comb(pool_size - carriers, draws - hits)
        for hits in range(min_hits, min(carriers, draws) + 1)
    )
    return ways / comb(pool_size, draws)


def enrich(picks: Int[Tensor, "*list k"], tags: Bool[Tensor, "text property"]) -> Enrichment:
    """Returns the most enriched property of every list of picks; -1 marks a missing pick."""
    present = picks >= 0
    counts = (tags[picks.clamp(min=0)] & present[..., None]).sum(-2)  # [*list, property]
    tails = _tails(tags, present.sum(-1), counts)
    tail = tails.amin(-1)
    # min does not define which of two equal values it returns; argmax of a comparison does.
    best = (tails == tail[..., None]).to(torch.uint8).argmax(-1)
    return Enrichment(best, tail, counts.gather(-1, best[..., None])[..., 0])


def leading(picks: Picks, tags: Bool[Tensor, "text property"]) -> Leading:
    """Returns the property with the largest score in every list of picks.

    A text counts for each of its properties, so a text with two properties adds nothing to the lead of one
    over the other.
    """
    present = picks.text_index >= 0
    carried = tags[picks.text_index.clamp(min=0)] & present[..., None]
    share = picks.variance_share.double()[..., None]
    score = (carried * share.clamp(min=0) ** POWER).sum(-2)  # [*list, property]
    top = score.amax(-1, keepdim=True)
    best = (score >= top - TIE).to(torch.uint8).argmax(-1)  # the first of equal ones
    share_sum, carrying = (
        total.gather(-1, best[..., None])[..., 0] for total in ((carried * share).sum(-2), carried.sum(-2))
    )
    return Leading(best, share_sum, score, carrying)


def leads(
    observed: Leading, rotated: Leading
) -> tuple[Float[Tensor, " head"], Float[Tensor, "head rotation"]]:
    """Returns the lead of the label of every head and of each rotation: the test statistic.

    Scores are centered on their mean over the head and its rotations. The lead is the centered score of the
    label minus the largest other one. It is 0 if another property exceeds its own mean by more, and for a
    head without picks.
    """
    lists = torch.cat([observed.score[:, None], rotated.score], dim=1)  # [head, 1 + rotation, property]
    label = torch.cat([observed.property[:, None], rotated.property], dim=1)[..., None]
    centered = lists - lists.mean(dim=1, keepdim=True)
    next_best = centered.scatter(-1, label, -torch.inf).amax(-1)
    # With a single property in the pool there is no next one.
    lead = centered.gather(-1, label)[..., 0] - next_best.where(next_best.isfinite(), 0)
    lead = lead.where((lead > TIE) & (lists.gather(-1, label)[..., 0] > 0), 0)
    return lead[:, 0], lead[:, 1:]


def labels_by_variance_share(
    observed: Leading, rotated: Leading, properties: tuple[str, ...], *, picks: int
) -> list[Label]:
    """Returns labels of all heads of one model, tested by their lead against the leads of their rotations.

    `observed` has shape [head], `rotated` [head, rotation]; both come from the first `picks` texts.
    """
    lead, chance = leads(observed, rotated)
    p = p_values(-lead, -chance)
    q = benjamini_hochberg(p)
    columns = (observed.property, observed.carrying, observed.share, lead, p, q)
    return [
        Label(properties[index], VARIANCE_SHARE, picks, carrying, share, lead, None, p_value, q_value)
        for index, carrying, share, lead, p_value, q_value in zip(*(c.tolist() for c in columns), strict=True)
    ]


def labels_by_enrichment(
    observed: Enrichment, rotated: Enrichment, properties: tuple[str, ...], *, picks: int
) -> list[Label]:
    """Returns labels by enrichment, tested by the tail; arguments as in `labels_by_variance_share`."""
    p = p_values(observed.tail, rotated.tail)
    q = benjamini_hochberg(p)
    columns = (observed.property, observed.hits, observed.tail, p, q)
    return [
        Label(properties[index], ENRICHMENT, picks, carrying, None, None, tail, p_value, q_value)
        for index, carrying, tail, p_value, q_value in zip(*(c.tolist() for c in columns), strict=True)
    ]


def p_values(
    observed: Float[Tensor, " head"], rotated: Float[Tensor, "head rotation"]
) -> Float[Tensor, " head"]:
    """p = (1 + #{b: x_b <= x}) / (1 + B), small x is evidence: never 0, at most 0.05 in 5 % by chance."""
    as_small = (rotated <= observed[:, None]).sum(1)
    return (1 + as_small).double() / (1 + rotated.shape[1])


def benjamini_hochberg(p: Float[Tensor, " head"]) -> Float[Tensor, " head"]:
    """q_(i) = min over j >= i of p_(j) n / j, at most 1."""
    ranked, order = p.sort(descending=True)
    scaled = ranked * len(p) / torch.arange(len(p), 0, -1, dtype=p.dtype)
    q = torch.empty_like(p)
    q[order] = scaled.cummin(0).values.clamp(max=1)
    return q


def _tails(
    tags: Bool[Tensor, "text property"], draws: Int[Tensor, "*list"], counts: Int[Tensor, "*list property"]
) -> Float[Tensor, "*list property"]:
    """Hypergeometric tail of every property in every list; texts without a property count in the pool."""
    carriers = tags.sum(0)
    tails = torch.empty(counts.shape, dtype=torch.float64)
    for number in draws.unique().tolist():
        rows = [_tail_row(len(tags), texts, number) for texts in carriers.tolist()]
        table = torch.tensor(rows, dtype=torch.float64)  # [property, count]
        lists = draws == number
        tails[lists] = table[torch.arange(len(carriers)), counts[lists]]
    return tails


@lru_cache(maxsize=4096)
def _tail_row(pool_size: int, carriers: int, draws: int) -> tuple[float, ...]:
    return tuple(hypergeometric_tail(pool_size, carriers, draws, hits) for hits in range(draws + 1))
