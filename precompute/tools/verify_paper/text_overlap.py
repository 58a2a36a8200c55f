"""How far our texts of a head overlap with those of another program, and how far they could.

TEXTSPAN's first text depends on the head's outputs alone. Every later one depends on the directions that
texts are first reduced to, for the length of what is left of a text decides how much of it is taken off. We
keep the directions that a head can write to, at most d_head + 3. The reference implementation keeps the first
80 of its outputs' singular vectors: for a head of width 64 these are the same 67 and 13 more, which hold
rounding only and differ from run to run. So two runs of the reference do not agree either, least of all in
late picks, and lists are compared as sets.

How much they differ depends on the spectrum. With 13 surplus directions, on 16 heads of a ViT-B-16 of random
weights (256 images, 1,200 texts) the first text was always the same, but only 0.59 of the first five, 0.44 of
ten and 0.32 of sixty; with two for every 11 or 15, much the same share, 0.83 and 0.90 of five on heads of two
demo models (2,000 scenes). So no fixed bound is right, and what is demanded is measured on the images at
hand: `rerun` picks as the reference does, with random directions in the place of rounding, from one half of
the images, while we pick from the other. That is how far two honest runs on different images agree; halves
are noisier than all images, so it is no overestimate.

Knows nothing of models or files: tensors in, tensors out.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from precompute.method import stability, textspan
from precompute.method.types import Head

DIRECTIONS = 80
"""That the reference implementation keeps, whatever the head (`--w_ov_rank`)."""

DEPTHS = (1, 5, 10, 60)
"""Numbers of first texts that are compared."""

Lists = Mapping[Head, Sequence[str | int]]
"""Texts of every head, or their rows in the pool, in the order they were chosen."""


def shares(ours: Lists, theirs: Lists, k: int) -> Float[Tensor, " head"]:
    """Share of the first `k` that both have, of every head in both, by layer and head.

    Where both lists are shorter, of the longer one.
    """
    heads = sorted(ours.keys() & theirs.keys())
    overlaps = [stability.overlap(ours[head], theirs[head], k, of="longer") for head in heads]
    return torch.tensor(overlaps, dtype=torch.float64)


def of_other_heads(theirs: Lists) -> dict[Head, Sequence[str | int]]:
    """Each head with the list of the next one: what agrees then is common to all heads."""
    heads = sorted(theirs)
    return {head: theirs[other] for head, other in zip(heads, [*heads[1:], heads[0]], strict=True)}


def rerun(
    covariance: Float[Tensor, "rank rank"],
    basis: Float[Tensor, "rank d_out"],
    own_rank: int,
    text: Float[Tensor, "text d_out"],
    *,
    k: int,
    seed: int,
) -> list[int]:
    """Texts of one head as the reference picks them, with other rounding in its surplus directions."""
    wide = _with_surplus(basis[:own_rank].double(), seed)
    surplus = len(wide) - own_rank
    padded = F.pad(covariance[:own_rank, :own_rank].double(), (0, surplus, 0, surplus))
    return textspan.textspan(padded, textspan.text_coordinates(text, wide), k=k).text_index.tolist()


def _with_surplus(basis: Float[Tensor, "rank d_out"], seed: int) -> Float[Tensor, "wide d_out"]:
    """The orthonormal rows of `basis`, filled up with random ones at a right angle to them."""
    rank, d_out = basis.shape
    surplus = min(DIRECTIONS, d_out) - rank
    if surplus <= 0:
        return basis
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(surplus, d_out, dtype=torch.float64, generator=generator)
    random = random - random @ basis.T @ basis
    return torch.cat([basis, torch.linalg.qr(random.T)[0].T])
