"""Selectivity: share of a head's variance that the values of a known attribute explain, epsilon squared.

    η² = tr S_between / tr S_total,    ε² = η² - (1 - η²) (K - 1) / (N - K)

over N images of K values, with squared lengths in place of squares (the trace form of one-way analysis of
variance). η² grows with the number of values even if they explain nothing; ε² then is 0 on average
(Kelley 1935, https://doi.org/10.1073/pnas.21.9.554) and may be negative.

Knows nothing of models: coordinates and values in, numbers out.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from precompute.method import rounding


def epsilon_squared(
    coordinates: Float[Tensor, "image head rank"], value: Int[Tensor, " image"]
) -> Float[Tensor, " head"]:
    """ε² = η² - (1 - η²) (K - 1) / (N - K) of every head, Kelley 1935, with squared lengths for squares.

    float64. NaN if all images have the same value, or all have different ones; 0 for a head that is constant
    over images. Higher is easier to interpret, but only above the value of the random-weights control: see
    docs/method.md.
    """
    y = coordinates.double()
    variance, square = y.var(dim=0, correction=0).sum(dim=-1), y.square().mean(dim=0).sum(dim=-1)
    present, place, count = value.unique(return_inverse=True, return_counts=True)
    image_count, value_count = len(value), len(present)
    if not 1 < value_count < image_count:
        return coordinates.new_full(coordinates.shape[1:2], torch.nan, dtype=torch.float64)
    y = y - y.mean(dim=0)
    mean = y.new_zeros(value_count, *y.shape[1:]).index_add_(0, place, y) / count[:, None, None]
    between = (mean.square().sum(dim=-1) * count[:, None]).sum(dim=0)  # [head]
    total = y.square().sum(dim=(0, 2))
    eta = between / total
    return (eta - (1 - eta) * (value_count - 1) / (image_count - value_count)).where(
        rounding.varies(variance, square), 0
    )
