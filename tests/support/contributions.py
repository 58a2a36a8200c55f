"""A decomposition spelled out in the space of the embedding."""

import torch
from jaxtyping import Float
from torch import Tensor, einsum

from precompute.method.types import Decomposition, HeadSpaces


def contributions(decomposition: Decomposition, spaces: HeadSpaces) -> Float[Tensor, "image component d_out"]:
    """All components in d_out: early, heads (layer by layer), MLPs."""
    head = einsum("ilhr,lhrp->ilhp", decomposition.head, spaces.basis.to(decomposition.head))
    return torch.cat([decomposition.early[:, None], head.flatten(1, 2), decomposition.mlp], dim=1)
