"""The single pass of `verify-paper` over the images: errors, moments of two halves, terms for mean-ablation.

Memory per image is three vectors of d_out (5 KB to 9 KB).
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition, moments
from precompute.method.types import Decomposition, Moments
from precompute.runtime import progress

FORWARD_IMAGES = 256
"""Number of images that open_clip encodes too."""

_CHUNK = 512
"""Number of images per update of the moments."""


class PassResult(NamedTuple):
    """Vectors, moments and errors of all images."""

    image_id: list[str]
    embedding: Float[Tensor, "image d_out"]
    early: Float[Tensor, "image d_out"]
    """Contribution of all attention before the decomposed layers."""

    mlps: Float[Tensor, "image d_out"]
    """Contribution of the input and of all MLPs."""

    halves: Moments
    """Moments of two groups of images, by their ids."""

    sum_error: float
    forward_error: float
    """Largest absolute difference between our embeddings and open_clip's, unit length."""


class _Part(NamedTuple):
    """Vectors and errors of one batch."""

    image_id: list[str]
    embedding: Float[Tensor, "image d_out"]
    early: Float[Tensor, "image d_out"]
    mlps: Float[Tensor, "image d_out"]
    head: Float[Tensor, "image layer head rank"]
    sum_error: float
    forward_error: float


def pass_over_images(
    model: clip.Clip,
    plan: decomposition.Plan,
    distinct: Mapping[str, images.ImageFile],
    *,
    batch_size: int,
    workers: int,
) -> PassResult:
    """Decomposes every image once."""
    batches = images.pixel_batches(distinct, model.preprocess, batch_size=batch_size, workers=workers)
    parts: list[_Part] = []
    waiting: list[_Part] = []
    halves = None
    with progress.bar("decomposing images", total=len(distinct)) as bar:
        for part in _parts(model, plan, batches):
            waiting.append(part)
            # Head coordinates are the bulk of a part; they are released once their moments are computed.
            parts.append(part._replace(head=part.head[:0]))
            bar.update(len(part.image_id))
            if sum(len(batch.image_id) for batch in waiting) >= _CHUNK:
                halves, waiting = _merge(halves, waiting), []
    halves = _merge(halves, waiting) if waiting else halves
    assert halves is not None
    ids, *vectors, _, sum_error, forward_error = zip(*parts, strict=True)
    embedding, early, mlps = map(torch.cat, vectors)
    return PassResult([*chain(*ids)], embedding, early, mlps, halves, max(sum_error), max(forward_error))


def split(
    decomposed: Decomposition, earlier: Float[Tensor, "image component d_out"]
) -> tuple[Tensor, Tensor]:
    """Returns attention before the decomposed layers, and input with all MLPs; both [image, d_out].

    `earlier` is the input, then attention and MLP of each earlier layer.
    """
    mlps = earlier[:, 0] + earlier[:, 2::2].sum(dim=1) + decomposed.mlp.sum(dim=1)
    return earlier[:, 1::2].sum(dim=1), mlps


def largest(errors: Tensor) -> float:
    """Returns the largest absolute error; infinity if any is NaN."""
    return float(errors.abs().nan_to_num(nan=torch.inf).max())


def _parts(
    model: clip.Clip, plan: decomposition.Plan, batches: Iterator[tuple[list[str], Tensor]]
) -> Iterator[_Part]:
    done = 0
    for ids, pixels in batches:
        captured = clip.capture(model, pixels.to(model.device), plan.layers)
        decomposed, earlier = decomposition.decompose_with_earlier(plan, captured)
        early, mlps = split(decomposed, earlier)
        forward = _forward_error(model, pixels, decomposed.embedding) if done < FORWARD_IMAGES else 0.0
        vectors = (decomposed.embedding.cpu(), early.cpu(), mlps.cpu(), decomposed.head.cpu())
        yield _Part(ids, *vectors, largest(decomposed.sum_error), forward)
        done += len(ids)


def _forward_error(model: clip.Clip, pixels: Tensor, ours: Float[Tensor, "image d_out"]) -> float:
    theirs = F.normalize(clip.encode_image(model, pixels), dim=-1)
    return largest(ours - theirs)


def _merge(halves: Moments | None, parts: list[_Part]) -> Moments:
    group = torch.tensor([moments.group_of(image_id) % 2 for part in parts for image_id in part.image_id])
    new = moments.from_coordinates(torch.cat([part.head for part in parts]), group, groups=2)
    return new if halves is None else moments.merge(halves, new)
