"""A decomposition spelled out in the space of the embedding."""

import torch
from jaxtyping import Float
from torch import Tensor, einsum

from precompute import clip
from precompute.method import decomposition
from precompute.method.types import Decomposition, HeadSpaces


def contributions(decomposition: Decomposition, spaces: HeadSpaces) -> Float[Tensor, "image component d_out"]:
    """All components in d_out: early, heads (layer by layer), MLPs."""
    head = einsum("ilhr,lhrp->ilhp", decomposition.head, spaces.basis.to(decomposition.head))
    return torch.cat([decomposition.early[:, None], head.flatten(1, 2), decomposition.mlp], dim=1)


def decompose_by_token(model, pixels, count=None):
    weights, layers = clip.vision_weights(model), clip.last_layers(model, count)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    return plan.spaces, *decomposition.decompose_tokens(plan, clip.capture_tokens(model, pixels, layers))


def plan_of(model, count=None):
    weights = clip.vision_weights(model)
    return decomposition.plan(weights, decomposition.head_spaces(weights, clip.last_layers(model, count)))
