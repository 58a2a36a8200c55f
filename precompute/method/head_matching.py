"""Heads of two models, compared by their outputs on the same images and matched one to one.

The measure is linear CKA (Kornblith et al. 2019, https://arxiv.org/abs/1905.00414) with the unbiased estimate
of HSIC (Song et al. 2012, JMLR 13:1393) in place of HSIC: without it, n images of independent outputs of
dimension d have a CKA of about d / n, so that heads of many dimensions seem alike (Murphy et al. 2024,
https://arxiv.org/abs/2405.01012). With centered outputs X and Y, rows x_i and y_i:

    HSIC(X, Y) = |X'Y|² - n/(n-2) Σ |x_i|² |y_i|² + Σ |x_i|² Σ |y_i|² / ((n-1)(n-2))
    CKA(X, Y)  = HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y))

up to a factor that cancels. No matrix of images by images is needed. CKA is at most 1, which equal outputs
reach after any rotation, scaling and shift; its mean is 0 for independent outputs.

Knows nothing of models or files: outputs and bases in, numbers and pairs out.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from precompute.method import rounding

MIN_IMAGES = 4
"""Minimum number of images of the unbiased HSIC."""

LEVEL = 0.05
"""Largest p-value of a match that exceeds its nulls."""


class Outputs(NamedTuple):
    """Outputs of the heads of one model on some images, centered and of total length 1. float32."""

    value: Float[Tensor, "image head rank"]
    square: Float[Tensor, "image head"]
    """Squared length of each output. float64."""

    hsic: Float[Tensor, " head"]
    """HSIC of each head with itself; NaN for a head that is constant, or with too few images. float64."""


class Comparison(NamedTuple):
    """All heads of one model (rows) against all heads of another (columns)."""

    cka: Float[Tensor, "head other"]
    """NaN where undefined."""

    shuffled_row: Float[Tensor, " head"]
    """Largest CKA of each head of the first model with a head of the second, if images are shuffled."""

    shuffled_column: Float[Tensor, " other"]
    """The same for each head of the second model."""


def outputs(head: Float[Tensor, "image head rank"]) -> Outputs:
    """Returns the outputs centered on their mean over the images and scaled, with what CKA needs of them."""
    count, mean = len(head), head.double().mean(dim=0)
    centered = head.double() - mean
    total = centered.square().sum(dim=(0, 2))
    varies = rounding.varies(total, total + count * mean.square().sum(-1))
    scaled = centered / total.where(varies, 1).sqrt()[:, None] * varies[:, None]
    square = scaled.square().sum(-1)
    gram = torch.einsum("nhr,nhs->hrs", scaled, scaled).square().sum(dim=(1, 2))
    own = _hsic(gram, square.square().sum(dim=0), count)
    return Outputs(scaled.float(), square, own.where(varies & (own > 0), torch.nan))


def compare(a: Outputs, b: Outputs, *, seed: int = 0) -> Comparison:
    """Returns the CKA of all pairs of heads, and the largest ones if the images of one model are shuffled.

    Both must have the same images in the same order. `seed` is that of the shuffle.
    """
    order = torch.randperm(len(b.square), generator=torch.Generator().manual_seed(seed))
    shuffled = cka(a, b._replace(value=b.value[order], square=b.square[order]))
    return Comparison(cka(a, b), largest(shuffled, dim=1), largest(shuffled, dim=0))


def cka(a: Outputs, b: Outputs) -> Float[Tensor, "head other"]:
    """Returns the debiased linear CKA of every head of one model with every head of the other."""
    ranks = b.value.shape[1:]
    flat = b.value.flatten(1)
    cross = torch.stack(
        [
            (head.mT @ flat).unflatten(1, ranks).double().square().sum(dim=(0, 2))
            for head in a.value.unbind(dim=1)
        ]
    )
    hsic = _hsic(cross, a.square.mT @ b.square, len(flat))
    return (hsic / (a.hsic[:, None] * b.hsic).sqrt()).clamp(-1, 1)


def largest(cka: Float[Tensor, "head other"], dim: int) -> Float[Tensor, " rest"]:
    """Returns the largest CKA along an axis; NaN if none is defined."""
    filled = cka.nan_to_num(nan=-torch.inf)
    best = (
        filled.amax(dim=dim) if filled.shape[dim] else filled.new_full((filled.shape[1 - dim],), -torch.inf)
    )
    return best.where(best > -torch.inf, torch.nan)


def match(cka: Float[Tensor, "head other"]) -> Int[Tensor, "pair 2"]:
    """Returns pairs of heads, each head in at most one, with the largest sum of CKA, by head.

    The smaller model has a partner for every head; a head without a defined CKA is in no pair.
    """
    rows, columns = (cka.isfinite().any(dim=1 - axis).nonzero().flatten() for axis in (0, 1))
    pairs = np.stack(linear_sum_assignment(cka[rows][:, columns].numpy(), maximize=True), axis=1)
    place = torch.from_numpy(pairs).reshape(-1, 2)
    return torch.stack([rows[place[:, 0]], columns[place[:, 1]]], dim=1)


def p_values(value: Float[Tensor, " match"], null: Float[Tensor, " draw"]) -> Float[Tensor, " match"]:
    """Returns the share of null values that are at least as large, by the add-one rule; NaN for NaN."""
    null = null[null.isfinite()]
    p_value = (1 + (null >= value[:, None]).sum(dim=1)).double() / (1 + len(null))
    return p_value.where(value.isfinite(), torch.nan)


def principal_angles(
    a: Float[Tensor, "rank_a dim"], b: Float[Tensor, "rank_b dim"]
) -> Float[Tensor, " angle"]:
    """Returns the angles between two subspaces, radians, ascending; one for each dimension of the smaller.

    `a` and `b` have orthonormal rows. Björck and Golub 1973 (Math. Comp. 27:579): cosines are inaccurate near
    angles of 0, so that angles below 45° come from sines.
    """
    a, b = (_orthonormal(rows) for rows in sorted((a.double(), b.double()), key=len, reverse=True))
    cosine = torch.linalg.svdvals(a @ b.mT).clamp(max=1)
    sine = torch.linalg.svdvals(b - b @ a.mT @ a).flip(0)[: len(cosine)].clamp(max=1)
    return cosine.arccos().where(cosine.square() < 0.5, sine.arcsin())


def _hsic(
    cross: Float[Tensor, "*head"], squares: Float[Tensor, "*head"], count: int
) -> Float[Tensor, "*head"]:
    """Unbiased HSIC of outputs of total length 1, from |X'Y|² and Σ |x_i|² |y_i|²; NaN if too few."""
    if count < MIN_IMAGES:
        return torch.full_like(cross, torch.nan)
    return cross - count / (count - 2) * squares + 1 / ((count - 1) * (count - 2))


def _orthonormal(rows: Float[Tensor, "rank dim"]) -> Float[Tensor, "rank dim"]:
    """Rows of the same span, orthonormal in float64: stored bases are float32."""
    return torch.linalg.qr(rows.mT).Q.mT
