"""Replicates and split pools of one model, layer by layer, kept in work files if a directory is passed.

They take longer than all other results about a head's texts: an interrupted run resumes at the first missing
layer.
"""

import os
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute.method import replicates, resampling, rotation_controls
from precompute.method.replicates import Crossed, Draws, LayerMoments, Resampled, Texts
from precompute.method.types import HeadSpaces, Moments, Pool
from precompute.runtime import progress, work_files
from precompute.runtime.config import HeadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS

_THREADS = os.cpu_count() or 1

_RESAMPLED, _CROSSED = "resampled", "crossed"


def draw(
    head_moments: Moments,
    covariance: Float[Tensor, "layer head rank rank"],
    spaces: HeadSpaces,
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    options: HeadOptions,
    directory: Path | None = None,
) -> Draws:
    """Returns replicates and crossed picks of every head; with 0 replicates, the first have no columns.

    A layer stored in `directory` for the same moments, texts and options is loaded.
    """
    halves = resampling.halves(
        head_moments.image_count, pool.tags, count=options.replicates, seed=options.seed
    )
    splits = resampling.splits(pool.tags, count=replicates.SPLITS, seed=options.seed)
    key = _key(head_moments, text, pool, options) if directory else ""
    paths = [directory / f"draws-{key}-{layer}.safetensors" if directory else None for layer in spaces.layers]
    compute = []
    for place in range(len(covariance)):
        texts = Texts(text, spaces.basis[place], spaces.rank[place], pool.tags)
        moments = LayerMoments(
            head_moments.image_count, head_moments.mean[:, place], head_moments.second[:, place]
        )
        compute.append(partial(_one_layer, texts, moments, covariance[place], halves, splits, options))
    resampled, crossed = [], []
    for tensors in progress.load_or_compute_each(
        work_files.load_or_compute, paths, compute, "halves and splits", unit="layer"
    ):
        resampled.append(Resampled(*(tensors[f"{_RESAMPLED}.{name}"] for name in Resampled._fields)))
        crossed.append(Crossed(*(tensors[f"{_CROSSED}.{name}"] for name in Crossed._fields)))
    return Draws(halves, replicates.join_resampled(resampled), splits, replicates.join_crossed(crossed))


def _one_layer(
    texts: Texts,
    moments: LayerMoments,
    covariance: Float[Tensor, "head rank rank"],
    halves: resampling.Halves,
    splits: Bool[Tensor, "split text"],
    options: HeadOptions,
) -> dict[str, Tensor]:
    rotations, seed = options.rotations, options.seed
    resampled = replicates.no_replicates(len(texts.basis))
    if options.replicates:
        resampled = replicates.resample(
            moments, texts, halves, rotations=rotations, seed=seed, workers=_THREADS
        )
    crossed_rotations = min(rotation_controls.ROTATIONS, rotations)
    crossed = replicates.cross(
        covariance,
        texts,
        splits,
        crossed_rotations=crossed_rotations,
        rotations=rotations,
        seed=seed,
        workers=_THREADS,
    )
    return _under(_RESAMPLED, resampled._asdict()) | _under(_CROSSED, crossed._asdict())


def _under(kind: str, fields: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"{kind}.{name}": tensor for name, tensor in fields.items()}


def _key(head_moments: Moments, text: Float[Tensor, "text d_out"], pool: Pool, options: HeadOptions) -> str:
    """Returns a hash of everything that draws depend on, except the model: a directory is of one model."""
    content = work_files.hash_of_tensors(
        head_moments.image_count, head_moments.mean, head_moments.second, text, pool.tags.to(torch.uint8)
    )
    depends_on = [options.replicates, options.rotations, options.seed]
    # Every replicate picks texts and labels heads again.
    versions = [METHOD_VERSIONS[stage] for stage in ("replicates", "textspan", "labels")]
    return work_files.key_of(versions, content, depends_on)
