"""Neighbors against known values: how many of the nearest images share the query's value?

As the dashboard compares images: "cosine" centers both sides on the image set first, "dot" is the plain inner
product of the papers; several heads stand for the mean of their contributions in d_out.

Knows nothing of models or files: tensors in, numbers out.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from precompute.validation.zero_shot import NONE

K = 10
QUERIES = 500
"""Images asked for their neighbors, at most; chosen evenly."""


class Precision(NamedTuple):
    """Share of the nearest images that carry the query's value."""

    value: float
    chance: float
    """The same for images in random order."""

    queries: int


def mixture(
    coordinates: Float[Tensor, "image head rank"], basis: Float[Tensor, "head rank d_out"]
) -> Float[Tensor, "image d_out"]:
    """Mean contribution of some heads."""
    return torch.einsum("ihr,hrd->id", coordinates, basis) / len(basis)


def precision(
    vector: Float[Tensor, "image dim"], own: Int[Tensor, " image"], *, metric: str, k: int = K
) -> Precision | None:
    """Mean over queries of the share of the `k` nearest that carry the query's value.

    Queries and candidates are the images with a value of their own, in order, a query never its own
    neighbor. `metric` is cosine (of vectors that are centered already) or dot. None where there are not more
    than `k` images: all would be near.
    """
    if metric not in ("cosine", "dot"):
        raise ValueError(f"metric is {metric!r}; it must be cosine or dot.")
    kept = own != NONE
    vector, own = vector[kept], own[kept]
    images = len(own)
    if images <= k:
        return None
    vector = F.normalize(vector, dim=-1) if metric == "cosine" else vector
    query = torch.linspace(0, images - 1, min(images, QUERIES)).round().long()
    score = vector[query] @ vector.T
    score[torch.arange(len(query)), query] = -torch.inf
    nearest = score.topk(k, dim=-1).indices
    shares = (own[nearest] == own[query, None]).double().mean(dim=-1)
    others = (own[query, None] == own).sum(dim=-1) - 1
    return Precision(float(shares.mean()), float((others / (images - 1)).mean()), len(query))
