"""Neighbor precision: the share of the nearest images that have the value of the query image.

Images are compared as in the dashboard: "cosine" first centers both sides on the image set, "dot" is the
plain inner product of the papers. Several heads are represented by the mean of their contributions in d_out.

Knows nothing of models or files: tensors in, numbers out.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from precompute.method.zero_shot import NONE

K = 10
QUERIES = 500
"""Maximum number of query images, chosen evenly."""


class Precision(NamedTuple):
    """Share of the nearest images that have the value of the query."""

    value: float
    chance: float
    """The same for images in random order."""

    count: int  # type: ignore[assignment]  # hides tuple.count(), which is not used
    """Number of queries."""


def mixture(
    coordinates: Float[Tensor, "image head rank"], basis: Float[Tensor, "head rank d_out"]
) -> Float[Tensor, "image d_out"]:
    """Returns the mean contribution of some heads."""
    return torch.einsum("ihr,hrd->id", coordinates, basis) / len(basis)


def precision(
    vector: Float[Tensor, "image dim"], value: Int[Tensor, " image"], *, metric: str, k: int = K
) -> Precision | None:
    """Returns the mean over queries of the share of the `k` nearest images that have the query's value.

    Queries and candidates are the images that have a value, in order; a query is never its own neighbor.
    `metric` is cosine (of vectors that are already centered) or dot. None if there are at most `k` images:
    all of them would be neighbors; and for the cosine of images that do not vary.
    """
    if metric not in ("cosine", "dot"):
        raise ValueError(f"metric is {metric!r}; it must be cosine or dot.")
    has_value = value != NONE
    vector, value = vector[has_value], value[has_value]
    images = len(value)
    if images <= k or (metric == "cosine" and not vector.any()):
        return None
    vector = F.normalize(vector, dim=-1) if metric == "cosine" else vector
    query = torch.linspace(0, images - 1, min(images, QUERIES)).round().long()
    score = vector[query] @ vector.T
    score[torch.arange(len(query)), query] = -torch.inf
    nearest = score.topk(k, dim=-1).indices
    shares = (value[nearest] == value[query, None]).double().mean(dim=-1)
    others = (value[query, None] == value).sum(dim=-1) - 1
    return Precision(float(shares.mean()), float((others / (images - 1)).mean()), len(query))
