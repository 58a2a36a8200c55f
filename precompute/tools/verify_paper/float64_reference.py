"""The contributions of heads and their texts once more, in float64, by the shortest way there is.

Shares nothing with the way that results are made but the forward pass: no plan, no moments, no covariance.
Contributions are written out in d_out by the formula at the top of `decomposition`; TEXTSPAN takes directions
off images and texts themselves, as Gandelsman et al. 2024 write Algorithm 1.
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
"""A text is spent when less than this of its squared length is left."""

_EXHAUSTED = 1e-9
"""A head is described when less than this of its variance is left."""


def in_double(model: clip.Clip) -> clip.Clip:
    """The same model in float64, on the processor: graphics processors of Apple have no float64."""
    return replace(model, model=deepcopy(model.model).cpu().double(), device=torch.device("cpu"))


def coordinates(
    model: clip.Clip, spaces: HeadSpaces, batches: Iterable[Float[Tensor, "_ 3 h w"]]
) -> Float[Tensor, "image layer head rank"]:
    """Every head's contribution in its own space; `model` is in float64."""
    weights, basis = clip.vision_weights(model), spaces.basis.cpu().double()
    found = []
    for pixels in batches:
        written = contributions(
            weights, clip.capture(model, pixels.cpu().double(), spaces.layers), spaces.layers
        )
        found.append(einsum("ilhp,lhrp->ilhr", written, basis))
    return torch.cat(found)


def contributions(
    weights: VisionWeights, captured: Captured, layers: tuple[int, ...]
) -> Float[Tensor, "image layer head d_out"]:
    """c[l,h] for every head of `layers`, as the formula has it."""
    layers_total, heads = weights.out_weight.shape[:2]
    share = 1 / (heads * (2 * layers_total + 1))
    mean = captured.final.mean(dim=-1)
    deviation = (captured.final.var(dim=-1, correction=0) + weights.ln_eps).sqrt()
    normal = (captured.final - mean[:, None]) / deviation[:, None]
    embedding = (normal * weights.ln_weight + weights.ln_bias) @ weights.projection
    parts = []
    for place, layer in enumerate(layers):
        moved = einsum("ihd,hdm->ihm", captured.head[:, place], weights.out_weight[layer])
        residual = moved + weights.out_bias[layer] / heads - share * mean[:, None, None]
        scaled = residual * weights.ln_weight / deviation[:, None, None] + share * weights.ln_bias
        parts.append(scaled @ weights.projection)
    return torch.stack(parts, dim=1) / embedding.norm(dim=-1)[:, None, None, None]


def picks(outputs: Float[Tensor, "image rank"], text: Float[Tensor, "text rank"], k: int) -> list[int]:
    """TEXTSPAN on the outputs themselves: at most `k` rows of `text`, in the order they were chosen."""
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
