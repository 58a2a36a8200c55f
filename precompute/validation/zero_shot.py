"""Zero-shot answers against what is known: scores of the values' texts, margins, accuracy.

An image answers for an attribute if it carries exactly one of the values that are asked. Its margin is the
score of that value less the largest of the others; it is right if the margin is above 0.

Knows nothing of models or files: tensors in, tensors out.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

NONE = -1
"""Stands for the value of an image that carries none, or several."""


def own_value(carried: Bool[Tensor, "image value"]) -> Int[Tensor, " image"]:
    """The one value each image carries; NONE where it carries none or several."""
    index = carried.to(torch.uint8).argmax(dim=-1)
    return index.where(carried.sum(dim=-1) == 1, NONE)


def scores(
    embedding: Float[Tensor, "*run image d_out"], text: Float[Tensor, "value d_out"]
) -> Float[Tensor, "*run image value"]:
    """Cosine of unit-length embeddings with the text of each value."""
    return embedding @ text.T


def margin(
    score: Float[Tensor, "*run image value"], own: Int[Tensor, " image"]
) -> Float[Tensor, "*run image"]:
    """s(own value) - max of s over the others; NaN where an image has no value of its own."""
    if score.shape[-1] < 2:
        raise ValueError(f"{score.shape[-1]} value cannot be told from others; ask at least two.")
    place = own.clamp(min=0)[:, None].expand(*score.shape[:-1], 1)
    others = score.scatter(-1, place, -torch.inf).amax(dim=-1)
    return (score.gather(-1, place)[..., 0] - others).where(own != NONE, torch.nan)


def accuracy(margin: Float[Tensor, "*run image"]) -> Float[Tensor, "*run"]:
    """Share of margins above 0, of images that have one; NaN where none has. float64."""
    return (margin > 0).double().sum(dim=-1) / margin.isfinite().sum(dim=-1)
