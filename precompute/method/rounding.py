"""Tells rounding from variance: the one guard for everything that divides by a variance.

Equal images do not give equal bits: sums in a forward pass depend on the batch. Let every number have a
relative error of at most δ. Then n equal numbers x have a variance of at most δ² x², and a computed variance
that is not above δ² times the mean square of its data may be rounding alone. It is taken for 0.

δ = ERROR = 100 units of float32, 1.2e-5. Each of the 2 L attentions and MLPs of a tower adds an error of
about one unit to the residual stream, at most 100 for L = 50 layers even if all errors point the same way.
Measured on equal images in batches of 1 to 64: less than 2 units. Moments are float64: summing n numbers adds
n 2^-53 to δ, which is less than one unit of float32 up to n = 1e9.

Knows nothing of models: variances and vectors in, masks and vectors out.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

ERROR = 100 * torch.finfo(torch.float32).eps
"""Largest relative error of a number that a forward pass in float32 computes."""

SHARE = ERROR**2
"""A variance of at most this share of the mean square of its data is rounding."""


def varies(variance: Float[Tensor, "*shape"], square: Float[Tensor, "*shape"]) -> Bool[Tensor, "*shape"]:
    """Returns False for variances that may be rounding; `square` is the mean square of the data.

    A mean of squares, not a square of means: the variance is part of it. Sums in place of both means do too.
    """
    return variance > SHARE * square


def centered(vector: Float[Tensor, "image dim"], mean: Float[Tensor, " dim"]) -> Float[Tensor, "image dim"]:
    """Returns the vectors minus their mean; 0 if what is left may be rounding."""
    rest = vector - mean
    variance, square = (part.double().square().sum(-1).mean() for part in (rest, vector))
    return rest * varies(variance, square)
