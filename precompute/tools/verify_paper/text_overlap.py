"""Overlap of our texts of a head with those of another program, and its attainable value.

The first text of TEXTSPAN depends on the head's outputs alone. Each later text also depends on the directions
that the texts are projected to, since the remaining length of a text determines how much of it is removed. We
keep the directions that a head can write to, at most d_head + 3. The reference implementation keeps the first
80 singular vectors of the outputs. For a head of width 64 these are the same 67 and 13 more, which contain
only rounding errors and differ between runs. Two runs of the reference therefore differ too, most of all in
late picks, and lists are compared as sets.

The difference depends on the spectrum. With 13 surplus directions, on 16 heads of a ViT-B-16 of random
weights (256 images, 1,200 texts), the first text was always equal, but only 0.59 of the first five, 0.44 of
ten and 0.32 of sixty. With two surplus directions for every 11 or 15, a similar ratio, it was 0.83 and 0.90
of five on heads of two demo models (2,000 scenes). No fixed bound is right, so the bound is measured on the
images of the run: `rerun` picks as the reference does from one half of the images, with random directions in
place of rounding errors, and is compared with our picks from the other half. This is the agreement of two
correct runs on different images. Halves are noisier than all images, so it is no overestimate.

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
"""Number of directions that the reference implementation keeps for every head (`--w_ov_rank`)."""

DEPTHS = (1, 5, 10, 60)
"""Compared numbers of first texts."""

Lists = Mapping[Head, Sequence[str | int]]
"""Texts of every head, or their rows in the pool, in order of choice."""


def shares(ours: Lists, theirs: Lists, k: int) -> Float[Tensor, " head"]:
    """Returns the share of common texts among the first `k` of every head in both, by layer and head.

    If both lists are shorter than `k`, the share is of the longer one.
    """
    heads = sorted(ours.keys() & theirs.keys())
    overlaps = [stability.overlap(ours[head], theirs[head], k, of="longer") for head in heads]
    return torch.tensor(overlaps, dtype=torch.float64)


def of_other_heads(theirs: Lists) -> dict[Head, Sequence[str | int]]:
    """Returns each head with the list of the next head, to measure the overlap common to all heads."""
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
    """Returns one head's picks by the rule of the reference, with random surplus directions."""
    wide = _with_surplus(basis[:own_rank].double(), seed)
    surplus = len(wide) - own_rank
    padded = F.pad(covariance[:own_rank, :own_rank].double(), (0, surplus, 0, surplus))
    return textspan.textspan(padded, textspan.text_coordinates(text, wide), k=k).text_index.tolist()


def _with_surplus(basis: Float[Tensor, "rank d_out"], seed: int) -> Float[Tensor, "wide d_out"]:
    """Returns the orthonormal rows of `basis`, followed by random rows orthogonal to them."""
    rank, d_out = basis.shape
    surplus = min(DIRECTIONS, d_out) - rank
    if surplus <= 0:
        return basis
    generator = torch.Generator().manual_seed(seed)
    random = torch.randn(surplus, d_out, dtype=torch.float64, generator=generator)
    random = random - random @ basis.T @ basis
    return torch.cat([basis, torch.linalg.qr(random.T)[0].T])
