"""Zero-shot scores of the values of an attribute, margins of the correct values, and accuracy.

An image counts for an attribute if it has exactly one of the attribute's values. Its margin is the score of
that value minus the largest score of the others. The prediction is correct if the margin is above 0.

Knows nothing of models or files: tensors in, tensors out.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

NONE = -1
"""Value of an image that has no value of the attribute, or several."""


def own_value(carried: Bool[Tensor, "image value"]) -> Int[Tensor, " image"]:
    """Returns the index of the one value of each image; NONE for an image with no value or several."""
    index = carried.to(torch.uint8).argmax(dim=-1)
    return index.where(carried.sum(dim=-1) == 1, NONE)


def scores(
    embedding: Float[Tensor, "*run image d_out"], text: Float[Tensor, "value d_out"]
) -> Float[Tensor, "*run image value"]:
    """Returns the cosine of unit-length embeddings with the text of each value."""
    return embedding @ text.T


def margin(
    score: Float[Tensor, "*run image value"], value: Int[Tensor, " image"]
) -> Float[Tensor, "*run image"]:
    """Returns s(value of the image) - max of s over the other values; NaN for NONE."""
    if score.shape[-1] < 2:
        raise ValueError(f"{score.shape[-1]} value cannot be told from others; ask at least two.")
    column = value.clamp(min=0)[:, None].expand(*score.shape[:-1], 1)
    others = score.scatter(-1, column, -torch.inf).amax(dim=-1)
    return (score.gather(-1, column)[..., 0] - others).where(value != NONE, torch.nan)


def accuracy(margin: Float[Tensor, "*run image"]) -> Float[Tensor, "*run"]:
    """Returns the share of margins above 0 among the images that have one; float64, NaN if none has."""
    return (margin > 0).double().sum(dim=-1) / margin.isfinite().sum(dim=-1)
