"""The images that the validation is measured on, and what a pass over all layers gives of them.

Means are over the sample, for both effects of an ablation, so that the two differ in what they freeze alone.
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
"""Images of one work file: what is lost, at most, by an interruption."""


class Sample(NamedTuple):
    """What is known of the sampled images before anything is changed."""

    image_id: list[str]
    embedding: Float[Tensor, "image d_out"]
    head: Float[Tensor, "image head rank"]
    """Coordinates of the decomposed heads, layer by layer; not centered."""

    early: Float[Tensor, "image d_out"]
    """Contribution of all heads before the decomposed layers."""

    mlp: Float[Tensor, "image d_out"]
    """Contribution of all MLPs, those before the decomposed layers included."""

    z_mean: Float[Tensor, "layer head d_head"]
    """Mean attention output of every head of the model at the class token."""

    mlp_mean: Float[Tensor, "layer d_model"]
    """Mean of what every MLP adds to the residual stream at the class token."""


def choose(image_ids: Iterable[str], count: int) -> list[str]:
    """At most `count` images, evenly over the sorted ids."""
    found = sorted(set(image_ids))
    return images.evenly(found, count)


def read(
    model: clip.Clip,
    first_layer: int,
    shards: Iterable[decompose_images.Shard],
    image_id: list[str],
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
) -> Sample:
    """Gather what is stored of the images; take apart in all layers those that no earlier run has."""
    mine = decompose_images.cut(image_id, directory / "all-layers", SHARD)
    if not all(shard.path.exists() for shard in mine):
        _take_apart(model, first_layer, mine, distinct, options)
    parts = [decompose_images.read(shard) for shard in mine]
    embedding, head = _stored(shards, image_id)
    return Sample(
        image_id,
        embedding,
        head.flatten(1, 2),
        torch.cat([part["early"] for part in parts]),
        torch.cat([part["mlp"] for part in parts]),
        _mean([part["z"] for part in parts]),
        _mean([part["mlp_output"] for part in parts]),
    )


def _take_apart(
    model: clip.Clip,
    first_layer: int,
    shards: tuple[decompose_images.Shard, ...],
    distinct: dict[str, images.ImageFile],
    options: ReadOptions,
) -> None:
    weights, layers = clip.vision_weights(model), clip.last_layers(model, None)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    basis = plan.spaces.basis[:first_layer]

    def compute(_: list[str], pixels: Tensor) -> dict[str, Tensor]:
        captured = clip.capture(model, pixels, layers)
        parts = decomposition.decompose(plan, captured)
        early = torch.einsum("ilhr,lhrp->ip", parts.head[:, :first_layer], basis)
        return {
            "z": captured.head,
            "mlp_output": captured.mlp,
            "early": early,
            "mlp": parts.mlp.sum(dim=1),
            "sum_error": parts.sum_error,
        }

    decompose_images.run_missing(model, shards, distinct, compute, "validation: all layers", options)


def _stored(
    shards: Iterable[decompose_images.Shard], image_id: list[str]
) -> tuple[Float[Tensor, "image d_out"], Float[Tensor, "image layer head rank"]]:
    """Embeddings and head coordinates of some images; they and the shards are in the order of image_id."""
    wanted = set(image_id)
    embedding, head = [], []
    for shard in shards:
        rows = [row for row, one in enumerate(shard.image_id) if one in wanted]
        if rows:
            parts = decompose_images.read(shard)
            embedding.append(parts["embedding"][rows])
            head.append(parts["head"][rows])
    return torch.cat(embedding), torch.cat(head)


def _mean(parts: list[Float[Tensor, "_ ..."]]) -> Float[Tensor, "..."]:
    total = torch.stack([part.double().sum(dim=0) for part in parts]).sum(dim=0)
    return (total / sum(len(part) for part in parts)).float()
