"""The images on which the validation is measured, and their decomposition in all layers.

Means are over the sample for both effects of an ablation, so that the two effects differ only in which parts
of the model stay unchanged.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition
from precompute.runtime.config import ReadOptions
from precompute.stages import decompose_images

SHARD = 32
"""Number of images of one work file; an interruption loses at most as many."""


class ImagePass(NamedTuple):
    """A model, the images that it reads, and the directory of its work files."""

    model: clip.Clip
    distinct: dict[str, images.ImageFile]
    directory: Path
    options: ReadOptions


class Sample(NamedTuple):
    """Decomposition of the sampled images, without any intervention."""

    image_id: list[str]
    embedding: Float[Tensor, "image d_out"]
    head: Float[Tensor, "image head rank"]
    """Coordinates of the decomposed heads, layer by layer; not centered."""

    early: Float[Tensor, "image d_out"]
    """Contribution of all heads before the decomposed layers."""

    mlp: Float[Tensor, "image d_out"]
    """Contribution of all MLPs, including those before the decomposed layers."""

    z_mean: Float[Tensor, "layer head d_head"]
    """Mean attention output of every head of the model at the class token."""

    mlp_mean: Float[Tensor, "layer d_model"]
    """Mean output of every MLP at the class token, as added to the residual stream."""


def choose(image_ids: Iterable[str], count: int) -> list[str]:
    """Returns at most `count` distinct images, spread evenly over the sorted ids."""
    return images.evenly(sorted(set(image_ids)), count)


def read(
    image_pass: ImagePass, first_layer: int, shards: Iterable[decompose_images.Shard], image_id: list[str]
) -> Sample:
    """Returns the sample from work files; decomposes images in all layers if no earlier run has done so."""
    full_shards = decompose_images.cut(image_id, image_pass.directory / "all-layers", SHARD)
    if not all(shard.path.exists() for shard in full_shards):
        _decompose(image_pass, first_layer, full_shards)
    parts = [decompose_images.read(shard) for shard in full_shards]
    embedding, head = _stored(shards, image_id)
    early, mlp = (torch.cat([part[name] for part in parts]) for name in ("early", "mlp"))
    z_mean, mlp_mean = (_mean([part[name] for part in parts]) for name in ("z", "mlp_output"))
    return Sample(image_id, embedding, head.flatten(1, 2), early, mlp, z_mean, mlp_mean)


def _decompose(image_pass: ImagePass, first_layer: int, shards: tuple[decompose_images.Shard, ...]) -> None:
    """Decomposes the images in all layers into work files; `first_layer` is the first decomposed one."""
    model, distinct, _, options = image_pass
    weights, layers = clip.vision_weights(model), clip.last_layers(model, None)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    basis = plan.spaces.basis[:first_layer]

    def compute(_: list[str], pixels: Tensor) -> dict[str, Tensor]:
        captured = clip.capture(model, pixels, layers)
        parts = decomposition.decompose(plan, captured)
        early = torch.einsum("ilhr,lhrp->ip", parts.head[:, :first_layer], basis)
        sums = {"early": early, "mlp": parts.mlp.sum(dim=1), "sum_error": parts.sum_error}
        return {"z": captured.head, "mlp_output": captured.mlp, **sums}

    decompose_images.run_missing(model, shards, distinct, compute, "validation: all layers", options)


def _stored(
    shards: Iterable[decompose_images.Shard], image_id: list[str]
) -> tuple[Float[Tensor, "image d_out"], Float[Tensor, "image layer head rank"]]:
    """Returns embeddings and head coordinates of some images; both inputs are in the order of image_id."""
    sampled = set(image_id)
    embedding, head = [], []
    for shard in shards:
        rows = [row for row, image in enumerate(shard.image_id) if image in sampled]
        if rows:
            parts = decompose_images.read(shard)
            embedding.append(parts["embedding"][rows])
            head.append(parts["head"][rows])
    return torch.cat(embedding), torch.cat(head)


def _mean(parts: list[Float[Tensor, "_ ..."]]) -> Float[Tensor, "..."]:
    total = torch.stack([part.double().sum(dim=0) for part in parts]).sum(dim=0)
    return (total / sum(len(part) for part in parts)).float()
