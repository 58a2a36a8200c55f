"""Independent computation of contributions and texts of heads, in float64.

Shares only the forward pass with the main computation: no plan, no moments, no covariance. Contributions
follow the formula at the top of `decomposition` in d_out. TEXTSPAN removes directions from the outputs and
texts themselves, as in Algorithm 1 of Gandelsman et al. 2024.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, einsum

from precompute import clip
from precompute.method.types import Captured, HeadSpaces, VisionWeights

_SPENT = 1e-6
"""A text with a smaller remaining share of its squared length is not chosen."""

_EXHAUSTED = 1e-9
"""TEXTSPAN stops at a smaller remaining share of the head's variance."""


def in_double(model: clip.Clip) -> clip.Clip:
    """Returns a copy of the model in float64 on the CPU, since Apple's GPUs have no float64."""
    return replace(model, model=deepcopy(model.model).cpu().double(), device=torch.device("cpu"))


def coordinates(
    model: clip.Clip, spaces: HeadSpaces, batches: Iterable[Float[Tensor, "_ 3 h w"]]
) -> Float[Tensor, "image layer head rank"]:
    """Returns each head's contribution in the head's space; `model` is in float64."""
    weights, basis = clip.vision_weights(model), spaces.basis.cpu().double()
    parts = []
    for pixels in batches:
        captured = clip.capture(model, pixels.cpu().double(), spaces.layers)
        contribution = contributions(weights, captured, spaces.layers)
        parts.append(einsum("ilhp,lhrp->ilhr", contribution, basis))
    return torch.cat(parts)


def contributions(
    weights: VisionWeights, captured: Captured, layers: tuple[int, ...]
) -> Float[Tensor, "image layer head d_out"]:
    """Returns c[l,h] for every head of `layers`, by the formula."""
    layers_total, heads = weights.out_weight.shape[:2]
    share = 1 / (heads * (2 * layers_total + 1))
    mean = captured.final.mean(dim=-1)
    deviation = (captured.final.var(dim=-1, correction=0) + weights.ln_eps).sqrt()
    normal = (captured.final - mean[:, None]) / deviation[:, None]
    embedding = (normal * weights.ln_weight + weights.ln_bias) @ weights.projection
    parts = []
    for row, layer in enumerate(layers):
        output = einsum("ihd,hdm->ihm", captured.head[:, row], weights.out_weight[layer])
        residual = output + weights.out_bias[layer] / heads - share * mean[:, None, None]
        scaled = residual * weights.ln_weight / deviation[:, None, None] + share * weights.ln_bias
        parts.append(scaled @ weights.projection)
    return torch.stack(parts, dim=1) / embedding.norm(dim=-1)[:, None, None, None]


def picks(outputs: Float[Tensor, "image rank"], text: Float[Tensor, "text rank"], k: int) -> list[int]:
    """TEXTSPAN on the outputs themselves: returns at most `k` rows of `text`, in order of choice."""
    residual, left = outputs - outputs.mean(dim=0), text.clone()
    start, total = text.square().sum(dim=1), residual.square().sum()
    chosen: list[int] = []
    while len(chosen) < k and residual.square().sum() > _EXHAUSTED * total:
        score = (residual @ left.T).square().sum(dim=0)
        score[left.square().sum(dim=1) < _SPENT * start] = -1
        score[chosen] = -1
        best = int(score.argmax())
        if score[best] <= 0:
            break
        unit = left[best] / left[best].norm()
        residual = residual - (residual @ unit)[:, None] * unit
        left = left - (left @ unit)[:, None] * unit
        chosen.append(best)
    return chosen
