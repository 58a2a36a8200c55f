"""Decompose an image embedding into the contributions of attention heads, MLPs and earlier layers.

    early + heads + MLPs = embedding / |embedding|        (for every image, to rounding)

Let z be the attention output of head h of layer l at the class token, before the output projection; mu and
sigma the mean and standard deviation that `ln_post` uses there, gamma and beta its weight and bias; P the
projection to d_out, e the embedding. In a model of L layers with H heads each, one head contributes

    c[l,h] = ((z[l,h] W_O[l,h] + b_O/H - s mu) * gamma/sigma + s beta) P / |e|,   s = 1 / (H (2L + 1)).

An MLP takes H such shares of mu and beta. So does each component before the first decomposed layer: the
input (the output of `ln_pre`), and attention and MLP of each earlier layer. `early` is the sum of these.
Gandelsman, Efros, Steinhardt 2024 (https://arxiv.org/abs/2310.05916), section 3. Only the row of the class
token is computed.

A head's contributions span at most d_head + 3 dimensions: the rows of W_O diag(gamma) P, and the directions
of b_O, gamma and beta. With Q an orthonormal basis of them, y = Q c replaces c without loss.

Knows nothing of open_clip, files or devices: tensors in, NamedTuple out.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, einsum

from precompute.method.types import Captured, CapturedTokens, Decomposition, HeadSpaces, VisionWeights

_SMALLEST_DIRECTION = 1e-6
"""Directions of a head's space below this share of its largest one are rounding, not signal."""

_PAD = 8


class Plan(NamedTuple):
    """All products of weights that do not depend on the image: computed once in float64, kept in float32."""

    spaces: HeadSpaces
    layers_total: int
    head_map: Float[Tensor, "layer head d_head rank"]
    """W_O diag(gamma) P Q': from a head's attention output to its coordinates."""

    head_bias: Float[Tensor, "layer head rank"]
    """b_O/H diag(gamma) P Q'."""

    head_mean: Float[Tensor, "layer head rank"]
    """s gamma P Q': subtracted once for each unit of mu."""

    head_beta: Float[Tensor, "layer head rank"]
    """s beta P Q'."""

    out: Float[Tensor, "d_model d_out"]
    """diag(gamma) P."""

    out_beta: Float[Tensor, " d_out"]
    """beta P."""

    ln_eps: float

    @property
    def layers(self) -> tuple[int, ...]:
        return self.spaces.layers


class _Norms(NamedTuple):
    """Mean, deviation and length that normalize every contribution of an image."""

    mean: Float[Tensor, "image 1"]
    deviation: Float[Tensor, "image 1"]
    length: Float[Tensor, "image 1"]
    """|e|, the length of the embedding before normalization."""


def head_spaces(weights: VisionWeights, layers: tuple[int, ...]) -> HeadSpaces:
    """Returns, for each head of `layers`, an orthonormal basis of the subspace of d_out it can write to."""
    rows = _spanning_rows(_in_double(weights, layers))
    # rows = (Q1 R)': the SVD of the small R gives the same directions as one of the rows, much faster.
    orthogonal, triangular = torch.linalg.qr(rows.mT)
    left, size, _ = torch.linalg.svd(triangular, full_matrices=False)
    basis = _with_fixed_signs((orthogonal @ left).mT)  # [layer, head, direction, d_out]
    rank = (size > _SMALLEST_DIRECTION * size[..., :1]).sum(dim=-1)

    padded = -(-int(rank.max()) // _PAD) * _PAD
    basis[torch.arange(size.shape[-1]) >= rank[..., None]] = 0
    basis = F.pad(basis[..., :padded, :], (0, 0, 0, max(0, padded - basis.shape[-2])))
    return HeadSpaces(layers, basis.float(), rank)


def plan(weights: VisionWeights, spaces: HeadSpaces) -> Plan:
    """Multiplies the weights once for any number of images. The plan is on the device of the weights."""
    w, basis = _in_double(weights, spaces.layers), spaces.basis.cpu().double()
    layers_total, heads = weights.out_weight.shape[:2]
    share = 1 / (heads * (2 * layers_total + 1))
    out, out_beta = w.ln_weight[:, None] * w.projection, w.ln_bias @ w.projection
    tensors = {
        "head_map": einsum("lhdm,mp,lhrp->lhdr", w.out_weight, out, basis),
        "head_bias": einsum("lp,lhrp->lhr", w.out_bias @ out / heads, basis),
        "head_mean": share * einsum("p,lhrp->lhr", out.sum(dim=0), basis),
        "head_beta": share * einsum("p,lhrp->lhr", out_beta, basis),
        "out": out,
        "out_beta": out_beta,
    }
    device = weights.projection.device
    spaces = spaces._replace(basis=spaces.basis.to(device), rank=spaces.rank.to(device))
    on_device = {name: tensor.float().to(device) for name, tensor in tensors.items()}
    return Plan(spaces=spaces, layers_total=layers_total, ln_eps=weights.ln_eps, **on_device)


def decompose(plan: Plan, captured: Captured) -> Decomposition:
    """Converts the captured class-token values of a forward pass into contributions."""
    norms, embedding = _norms(plan, captured.final)
    scale = (norms.deviation * norms.length)[..., None, None]
    decomposition = Decomposition(
        embedding=embedding,
        head=einsum("ilhd,lhdr->ilhr", captured.head, plan.head_map) / scale + _constants(plan, norms),
        mlp=_projected(plan, captured.mlp, norms, shares=1),
        early=_projected(plan, captured.early[:, None], norms, shares=1 + 2 * plan.spaces.layers[0])[:, 0],
        sum_error=torch.zeros_like(embedding[:, 0]),
    )
    error = _total(decomposition, plan.spaces) - embedding
    return decomposition._replace(sum_error=error.abs().amax(dim=-1))


def earlier(plan: Plan, captured: Captured) -> Float[Tensor, "image component d_out"]:
    """Returns the terms of `early`: the input, then attention and MLP of each earlier layer."""
    norms, _ = _norms(plan, captured.final)
    return _projected(plan, captured.earlier, norms, shares=1)


def decompose_with_earlier(
    plan: Plan, captured: Captured
) -> tuple[Decomposition, Float[Tensor, "image component d_out"]]:
    """`decompose` and `earlier` of the same images; the sum error is the larger one of both sums."""
    parts, before = decompose(plan, captured), earlier(plan, captured)
    missed = (before.sum(dim=1) - parts.early).abs().amax(dim=1)
    return parts._replace(sum_error=torch.maximum(parts.sum_error, missed)), before


def decompose_tokens(
    plan: Plan, captured: CapturedTokens
) -> tuple[Decomposition, Float[Tensor, "image layer head token rank"]]:
    """Returns contributions, and those of each token through each head; token 0 is the class token.

    Token coordinates sum to those of the head. The part that comes from no token is divided equally.
    """
    norms, _ = _norms(plan, captured.whole.final)
    constant = _constants(plan, norms)  # [image, layer, head, rank]
    coordinates = einsum("ilhtd,lhdr->ilhtr", captured.token, plan.head_map)
    tokens = captured.token.shape[-2]
    scale = (norms.deviation * norms.length)[..., None, None, None]
    return decompose(plan, captured.whole), coordinates / scale + constant[..., None, :] / tokens


def _in_double(weights: VisionWeights, layers: tuple[int, ...]) -> VisionWeights:
    """Weights of some layers, float64, on the CPU: the basis must not depend on the device of the images."""
    rows = list(layers)
    chosen = weights._replace(out_weight=weights.out_weight[rows], out_bias=weights.out_bias[rows])
    parts = chosen._asdict().items()
    return chosen._replace(**{name: part.cpu().double() for name, part in parts if name != "ln_eps"})


def _spanning_rows(weights: VisionWeights) -> Float[Tensor, "layer head direction d_out"]:
    """Rows that span a head's space: those of W_O diag(gamma) P, and the directions of b_O, gamma, beta."""
    out = weights.ln_weight[:, None] * weights.projection
    written = weights.out_weight @ out  # [layer, head, d_head, d_out]
    largest = torch.linalg.eigvalsh(written @ written.mT)[..., -1].clamp(min=0).sqrt()
    written = written / _or_one(largest)[..., None, None]
    layers, heads = written.shape[:2]
    shared = torch.stack([out.sum(dim=0), weights.ln_bias @ weights.projection])  # [2, d_out]
    extra = torch.cat([(weights.out_bias @ out)[:, None], shared.expand(layers, -1, -1)], dim=1)
    # Unit length: beside large W_O rows, a small bias would fall below _SMALLEST_DIRECTION and be lost.
    extra = extra / _or_one(extra.norm(dim=-1, keepdim=True))
    return torch.cat([written, extra[:, None].expand(-1, heads, -1, -1)], dim=2)


def _or_one(size: Tensor) -> Tensor:
    """Divisors: the sizes, with 1 in place of 0, so that zero rows stay zero."""
    return torch.where(size > 0, size, torch.ones_like(size))


def _with_fixed_signs(
    basis: Float[Tensor, "layer head direction d_out"],
) -> Float[Tensor, "layer head direction d_out"]:
    """Makes the largest entry of each row positive: an SVD leaves signs open, and machines would differ."""
    largest = basis.gather(-1, basis.abs().argmax(dim=-1, keepdim=True))
    return basis * largest.sign()


def _norms(plan: Plan, final: Float[Tensor, "image d_model"]) -> tuple[_Norms, Float[Tensor, "image d_out"]]:
    """Statistics of `ln_post`, and the unit-length embedding."""
    mean = final.mean(dim=-1, keepdim=True)
    deviation = (final.var(dim=-1, keepdim=True, correction=0) + plan.ln_eps).sqrt()
    raw = (final - mean) / deviation @ plan.out + plan.out_beta
    length = raw.norm(dim=-1, keepdim=True)
    return _Norms(mean, deviation, length), raw / length


def _constants(plan: Plan, norms: _Norms) -> Float[Tensor, "image layer head rank"]:
    """Part of a head's coordinates that does not come from attention: its shares of b_O, mu and beta."""
    mean, deviation, length = (norm[..., None, None] for norm in norms)  # [image, 1, 1, 1]
    return ((plan.head_bias - mean * plan.head_mean) / deviation + plan.head_beta) / length


def _projected(
    plan: Plan, residual: Float[Tensor, "image layer d_model"], norms: _Norms, *, shares: int
) -> Float[Tensor, "image layer d_out"]:
    """Contribution of an addition to the residual stream, with its shares of mu and beta."""
    share = shares / (2 * plan.layers_total + 1)
    mean, deviation, length = (norm[..., None] for norm in norms)  # [image, 1, 1]
    return ((residual - share * mean) / deviation @ plan.out + share * plan.out_beta) / length


def _total(decomposition: Decomposition, spaces: HeadSpaces) -> Float[Tensor, "image d_out"]:
    """Sum of all contributions, without storing each of them in d_out."""
    heads = decomposition.head.flatten(1) @ spaces.basis.flatten(0, 2)
    return decomposition.early + heads + decomposition.mlp.sum(dim=1)
