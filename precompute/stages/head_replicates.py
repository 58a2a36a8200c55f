"""Replicates and split pools of one model, layer by layer, kept in work files.

They take longer than all other results about a head's texts: an interrupted run resumes at the first missing
layer.
"""

from functools import partial
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute.method import replicates, resampling, rotation_controls
from precompute.method.replicates import Crossed, Draws, Resampled, Texts
from precompute.method.types import HeadSpaces, Moments, Pool
from precompute.runtime import devices, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS

_RESAMPLED, _CROSSED = "resampled", "crossed"


def draw(
    head_moments: Moments,
    covariance: Float[Tensor, "layer head rank rank"],
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    options: HeadOptions,
    directory: Path,
) -> Draws:
    """Returns replicates and crossed picks of every head; with 0 replicates, the first have no columns.

    A layer stored in `directory` for the same moments, texts and options is loaded.
    """
    halves = resampling.halves(
        head_moments.image_count, pool.tags, count=options.replicates, seed=options.seed
    )
    splits = resampling.splits(pool.tags, count=replicates.SPLITS, seed=options.seed)
    key = _key(head_moments, text, pool, options)
    compute = {}
    for place, layer in enumerate(spaces.layers):
        texts = Texts(text, spaces.basis[place], spaces.rank[place], pool.tags)
        compute[directory / f"draws-{key}-{layer}.safetensors"] = partial(
            _one_layer, texts, head_moments.at(place), covariance[place], halves, splits, options
        )
    layers = work_files.load_or_compute_layers(compute, "halves and splits")
    resampled = [work_files.record_of(Resampled, layer, _RESAMPLED) for layer in layers]
    crossed = [work_files.record_of(Crossed, layer, _CROSSED) for layer in layers]
    return Draws(
        halves,
        Resampled(*map(torch.cat, zip(*resampled, strict=True))),
        splits,
        Crossed(*map(torch.cat, zip(*crossed, strict=True))),
    )


def _one_layer(
    texts: Texts,
    moments: Moments,
    covariance: Float[Tensor, "head rank rank"],
    halves: resampling.Halves,
    splits: Bool[Tensor, "split text"],
    options: HeadOptions,
) -> dict[str, Tensor]:
    rotations, seed = options.rotations, options.seed
    resampled = replicates.no_replicates(len(texts.basis))
    if options.replicates:
        resampled = replicates.resample(
            moments, texts, halves, rotations=rotations, seed=seed, workers=devices.threads()
        )
    crossed_rotations = min(rotation_controls.ROTATIONS, rotations)
    crossed = replicates.cross(
        covariance,
        texts,
        splits,
        crossed_rotations=crossed_rotations,
        rotations=rotations,
        seed=seed,
        workers=devices.threads(),
    )
    return work_files.named(resampled, _RESAMPLED) | work_files.named(crossed, _CROSSED)


def _key(head_moments: Moments, text: Float[Tensor, "text d_out"], pool: Pool, options: HeadOptions) -> str:
    """Returns a hash of everything that draws depend on, except the model: a directory is of one model."""
    content = work_files.hash_of_tensors(*head_moments, text, pool.tags.to(torch.uint8))
    depends_on = [options.replicates, options.rotations, options.seed]
    # Every replicate picks texts and labels heads again.
    versions = [METHOD_VERSIONS[stage] for stage in ("replicates", "textspan", "labels")]
    return work_files.key_of(versions, content, depends_on)
