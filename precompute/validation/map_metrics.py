"""Measures of maps against masks of known objects: a map of "red circles" should be higher on red circles.

A picture has two objects A and B, each with a mask and a caption. A map is scored by average precision (AP):
pixels are ranked by the map, and the pixels of the mask are the correct ones.

    average_precision  AP(mask A | map of caption A)
    contrast           AP(mask A | map of caption A) - AP(mask B | map of caption A)
    caption            AP(mask A | map of caption A) - AP(mask A | map of another picture's caption)

each as the mean over both objects. A map that ignores the text scores exactly 0 in the last two. Such maps
are compared by the first, whose chance level is the mask's share of the picture.

Knows nothing of models or files: tensors in, tensors out.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, einsum

SIDE = 64
"""Maps and masks are resized to SIDE x SIDE pixels, for any grid of the model and size of the picture."""

MEASURES = ("average_precision", "contrast", "caption")


class Summary(NamedTuple):
    """Mean over pictures, and its 95 % interval by normal approximation."""

    value: float
    low: float | None
    """None for fewer than two pictures."""

    high: float | None
    count: int  # type: ignore[assignment]  # hides tuple.count(), which is not used


def average_precision(
    score: Float[Tensor, "*map pixel"], mask: Bool[Tensor, "object pixel"]
) -> Float[Tensor, "*map object"]:
    """Returns the area under precision over recall, by steps; float64.

    Equal scores are one step, so their order has no effect: a constant map has the mask's share.
    """
    if not bool(mask.any(dim=-1).all()):
        raise ValueError("a mask without a pixel has no average precision. Leave the picture out.")
    ranked = _ascending(score)
    return torch.stack([_precision(ranked, _ascending(score[..., place])) for place in mask], dim=-1)


def _precision(
    ranked: Float[Tensor, "*map pixel"], found: Float[Tensor, "*map hit"]
) -> Float[Tensor, " *map"]:
    """Returns the mean over the pixels of a mask of the precision at their score; both in ascending order."""
    # At each score of the mask: the pixels with at least this score, of the mask and of all.
    hits, places = (
        part.shape[-1] - torch.searchsorted(part, found, out_int32=True) for part in (found, ranked)
    )
    return (hits.double() / places).mean(dim=-1)


def _ascending(score: Float[Tensor, "*map pixel"]) -> Float[Tensor, "*map pixel"]:
    # NumPy's sort, in vectors, takes a twentieth of the time of torch's.
    return torch.from_numpy(np.sort(score.numpy(), axis=-1))


def enlarged(grid: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map pixel"]:
    """Returns maps over pixels from maps over patches, bilinear between the centers of patches.

    Pixels outside the outermost centers have exactly the value of the nearest one. They are many, and
    different rounding errors would decide their rank.
    """
    rows, columns = (_between_centers(size).to(grid) for size in grid.shape[-2:])
    return einsum("yr,...rc,xc->...yx", rows, grid, columns).flatten(-2)


def _between_centers(size: int) -> Float[Tensor, "pixel patch"]:
    """Returns weights of the patches of a row at each of its pixels: of one patch, or of two neighbors."""
    place = ((torch.arange(SIDE) + 0.5) * size / SIDE - 0.5).clamp(0, size - 1)
    before = place.floor().long().clamp(max=max(size - 2, 0))
    share = (place - before)[:, None]
    patch = torch.eye(size)
    return patch[before] * (1 - share) + patch[(before + 1).clamp(max=size - 1)] * share


def mask_pixels(covered: Float[Tensor, "object height width"]) -> Bool[Tensor, "object pixel"]:
    """Returns masks at the size of maps: True where the object covers more than half of the pixel."""
    return (F.interpolate(covered[None], size=(SIDE, SIDE), mode="area")[0] > 0.5).flatten(1)


def head_maps(
    token: Float[Tensor, "layer head token rank"],
    basis: Float[Tensor, "layer head rank d_out"],
    text: Float[Tensor, "text d_out"],
) -> Float[Tensor, "layer head text patch"]:
    """Returns contributions of patches through heads along texts; without token 0, the class token."""
    head_text = einsum("lhrp,kp->lhrk", basis, text)
    return einsum("lhtr,lhrk->lhkt", token[:, :, 1:], head_text)


def raw_attention(attention: Float[Tensor, "image layer head token token"]) -> Float[Tensor, "image patch"]:
    """Returns the attention of the class token to each patch in the last layer, mean over heads."""
    return attention[:, -1, :, 0, 1:].mean(dim=1)


def rollout(attention: Float[Tensor, "image layer head token token"]) -> Float[Tensor, "image patch"]:
    """Returns the product of 0.5 (A + I) over all layers, in the row of the class token.

    Abnar and Zuidema 2020 (https://arxiv.org/abs/2005.00928), section 3. A is the mean attention over heads,
    and I stands for the residual stream; rows are normalized.
    """
    step = 0.5 * (attention.mean(dim=2) + torch.eye(attention.shape[-1], device=attention.device))
    step = step / step.sum(dim=-1, keepdim=True)  # [image, layer, token, token]
    reached = step[:, -1, :1]  # [image, 1, token]
    for layer in range(attention.shape[1] - 2, -1, -1):
        reached = reached @ step[:, layer]
    return reached[:, 0, 1:]


def other_captions(captions: Sequence[tuple[str, str]]) -> list[tuple[str, str] | None]:
    """Returns for each picture the captions of the next picture that shares no caption with it.

    None if there is no such picture; the first picture follows the last.
    """
    following = [[*captions[place + 1 :], *captions[:place]] for place in range(len(captions))]
    return [
        next((other for other in others if not {*other} & {*pair}), None)
        for pair, others in zip(captions, following, strict=True)
    ]


def measures(precision: Float[Tensor, "*map object 3"]) -> Float[Tensor, "*map measure"]:
    """Returns the three measures of each map, in the order of MEASURES.

    `precision` is on the mask of each object: of the map of its caption, of the other object's, of another
    picture's.
    """
    own, crossed, foreign = precision.mean(dim=-2).unbind(dim=-1)
    return torch.stack([own, own - crossed, own - foreign], dim=-1)


def summary(value: Float[Tensor, " picture"]) -> Summary | None:
    """Returns the mean over the pictures that have a value; None if none has."""
    value = value[~value.isnan()].double()
    count = len(value)
    if count == 0:
        return None
    mean = float(value.mean())
    if count == 1:
        return Summary(mean, None, None, 1)
    half = 1.96 * float(value.std()) / count**0.5
    return Summary(mean, mean - half, mean + half, count)


def best_head(contrast: Float[Tensor, "picture head"]) -> int:
    """Returns the head with the largest mean contrast; ties go to the first.

    Choose it on one half of the pictures and score it on the other half: the best of many heads is partly
    best by chance.
    """
    return int(contrast.mean(dim=0).argmax())
