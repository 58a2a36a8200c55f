"""The effect of a precision below float32, on a sample of images decomposed in both precisions.

Compares embeddings, coordinates and the texts of every head. The sample is decomposed before all other images
and its report is kept: a run whose precision changes too much is always refused early. Parts of a run
decompose the sample; their merge checks it.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.inputs.model_specs import ModelError
from precompute.method import decomposition, moments, stability, textspan
from precompute.method.types import HeadSpaces, Pool, TextSpan
from precompute.runtime import progress, work_files
from precompute.runtime.config import ReadOptions
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.part import WHOLE, Part
from precompute.stages import decompose_images
from precompute.stages.decompose_images import LoadedModel

SAMPLE = 512
"""Maximum number of images in the sample."""

MIN_OVERLAP = 0.9
"""Minimum overlap of the first texts, mean over the heads.

The overlap of bf16 with float32 is .95 to 1.00, for trained and random weights
(docs/decisions/0010-precision.md). Rounding alone does not change more than every tenth text.
"""

_SHARD = 64


class PrecisionReport(NamedTuple):
    """Differences between a precision and float32 on the same device; columns of the table `model`."""

    precision_images: int
    """Number of images in the sample."""

    embedding_difference: float
    """Largest length of (embedding - embedding in float32); embeddings have length 1."""

    head_difference: float
    """Largest, over heads, root mean square of (coordinates - coordinates in float32) over importance."""

    overlap_5: float
    """Share of a head's first five texts in float32 that are among its first five; mean over heads."""

    min_overlap_5: float
    """Minimum of this share over heads."""

    overlap_10: float
    min_overlap_10: float


class _Both(NamedTuple):
    """The sample in both precisions."""

    head: Float[Tensor, "image layer head rank"]
    head_float32: Float[Tensor, "image layer head rank"]
    embedding: Float[Tensor, "image d_out"]
    embedding_float32: Float[Tensor, "image d_out"]


def measure(
    loaded: LoadedModel,
    image_files: dict[str, images.ImageFile],
    text: Float[Tensor, "text d_out"],
    pool: Pool,
    options: ReadOptions,
) -> PrecisionReport | None:
    """Returns the comparison with float32, computed or loaded from an earlier run; None in float32.

    Raises:
        ModelError: contributions do not sum to the embedding, or too many texts differ.
    """
    model = loaded.model
    if model.precision == "float32":
        return None
    versions = [METHOD_VERSIONS["precision"], METHOD_VERSIONS["textspan"]]
    key = work_files.key_of(versions, _sample(list(image_files)), pool.texts)

    def compared() -> pd.DataFrame:
        decompose_sample(loaded, image_files, options)
        parts = [decompose_images.read(shard) for shard in sample_shards(loaded, list(image_files))]
        both = _Both(*(torch.cat([part[name] for part in parts]) for name in _Both._fields))
        return pd.DataFrame([compare(both, loaded.spaces, text)._asdict()])

    table = work_files.load_or_compute_table(loaded.directory / f"rounding-{key}.parquet", compared)
    (row,) = table.to_dict("records")
    report = PrecisionReport(**{str(name): value for name, value in row.items()})
    progress.say(f"{model.precision} beside float32: {summary_line(report)}")
    check(model, report)
    return report


def summary_line(report: PrecisionReport) -> str:
    """Returns a summary of the report in one line."""
    return (
        f"{report.overlap_5:.1%} of the first five texts and {report.overlap_10:.1%} of the first ten are "
        f"the same on {report.precision_images} images (minimum {report.min_overlap_5:.0%} and "
        f"{report.min_overlap_10:.0%} of a head); embeddings differ by {report.embedding_difference:.1e} "
        f"at most, heads by {report.head_difference:.1%} of what they vary"
    )


def check(model: clip.Clip, report: PrecisionReport) -> None:
    """Raises ModelError if too many texts differ; NaN counts as too many."""
    for picks, overlap in ((5, report.overlap_5), (10, report.overlap_10)):
        if not overlap >= MIN_OVERLAP:
            raise ModelError(
                f"{model.spec.name}: in {model.precision} only {overlap:.1%} of the first {picks} texts of a "
                f"head are those of float32 (mean over heads, {report.precision_images} images); less than "
                f"{MIN_OVERLAP:.0%} is refused. Give --precision float32."
            )


def compare(both: _Both, spaces: HeadSpaces, text: Float[Tensor, "text d_out"]) -> PrecisionReport:
    """Returns the differences on the sample, including those of the first texts of every head."""
    low, exact = (_covariance(head) for head in (both.head, both.head_float32))
    error = (both.head - both.head_float32).double().square().sum(dim=-1).mean(dim=0).sqrt()
    importance = moments.importance(exact)
    # A head with constant output has importance 0 and no texts.
    relative = (error / importance)[importance > 0]
    expected, actual = (_first_texts(covariance, spaces, text) for covariance in (exact, low))
    overlaps = [number for k in (5, 10) for number in overlap(expected, actual, k)]
    return PrecisionReport(
        len(both.head),
        float((both.embedding - both.embedding_float32).norm(dim=-1).max()),
        float(relative.max()) if len(relative) else 0.0,
        *overlaps,
    )


def overlap(expected: Sequence[TextSpan], actual: Sequence[TextSpan], k: int) -> tuple[float, float]:
    """Returns mean and minimum over heads of |A ∩ B| / |A| of the first k texts; 1 if no head has texts."""
    pairs = zip(expected, actual, strict=True)
    every = [stability.overlap(a.text_index.tolist(), b.text_index.tolist(), k) for a, b in pairs]
    shares = [share for share in every if share is not None]
    return (sum(shares) / len(shares), min(shares)) if shares else (1.0, 1.0)


def sample_shards(loaded: LoadedModel, image_ids: list[str]) -> tuple[decompose_images.Shard, ...]:
    """Returns the shards of the sample; none in float32."""
    if loaded.model.precision == "float32":
        return ()
    return decompose_images.cut(_sample(image_ids), loaded.directory / "rounding", _SHARD)


def decompose_sample(
    loaded: LoadedModel, image_files: dict[str, images.ImageFile], options: ReadOptions, part: Part = WHOLE
) -> None:
    """Decomposes the sample, or a part of its shards, in both precisions. Raises ModelError."""
    model, spaces = loaded.model, loaded.spaces
    shards = sample_shards(loaded, list(image_files))
    if not shards:
        return
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    def compute(_: list[str], pixels: Tensor) -> dict[str, Tensor]:
        low, exact = (
            decomposition.decompose(plan, clip.capture(instance, pixels, spaces.layers))
            for instance in (model, model.exact)
        )
        both = _Both(low.head, exact.head, low.embedding, exact.embedding)
        return both._asdict() | {"sum_error": low.sum_error}

    part_shards = tuple(shard for place, shard in enumerate(shards) if part.takes(place))
    decompose_images.run_missing(
        model, part_shards, image_files, compute, f"{model.precision} and float32", options
    )


def _sample(image_ids: list[str]) -> list[str]:
    return images.evenly(image_ids, SAMPLE)


def _covariance(head: Float[Tensor, "image layer head rank"]) -> Float[Tensor, "layer head rank rank"]:
    one_group = torch.zeros(len(head), dtype=torch.int64)
    return moments.pooled(moments.from_coordinates(head, one_group, groups=1)).covariance


def _first_texts(
    covariance: Float[Tensor, "layer head rank rank"], spaces: HeadSpaces, text: Float[Tensor, "text d_out"]
) -> list[TextSpan]:
    flat, basis = covariance.flatten(0, 1), spaces.basis.flatten(0, 1)
    return textspan.textspan_heads(flat, text, basis, k=10, workers=os.cpu_count() or 1)
