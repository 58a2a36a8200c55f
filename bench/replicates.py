"""Time of the half-replicates for intervals and stability, and of cross-fitted consistency.

`python -m bench.replicates` uses 64 heads of rank 72, 3,500 texts of 40 properties, d_out 768 and 64 groups
of images. It prints the time of 200 resamples x 5 texts (target: 60 seconds), of all replicates of one model,
and of six such models (target: 5 minutes on two cores). `--heads 16` measures a quarter of the heads and
scales the result; the output states the factor.
"""

import sys

import torch
from torch import Tensor

from bench import timed
from bench.textspan import random_heads, size_parser
from precompute.method import labels, replicates, resampling, rotation_controls, textspan
from precompute.method.types import Moments

RESAMPLES_SECONDS, SIX_MODELS_SECONDS = 60.0, 300.0
HEADS, COUNT = 64, 200


def main() -> int:
    parser = size_parser(__doc__)
    parser.add_argument("--properties", type=int, default=40)
    options = parser.parse_args()

    text, basis, covariance = random_heads(options.heads, options.texts, options.rank, options.d_out)
    tags = torch.nn.functional.one_hot(torch.arange(options.texts) % options.properties).bool()
    own_rank = torch.full((options.heads,), options.rank)
    texts = replicates.Texts(text, basis, own_rank, tags)
    moments = group_moments(covariance)
    scale = HEADS / options.heads
    measured = f"measured on {options.heads} heads" + (f", times {scale:g}" if scale != 1 else "")
    print(f"{options.texts} texts, rank {options.rank}, {options.workers} workers, {measured}")
    print("wall clock; in brackets the processor time of all threads, which depends less on other load")

    drawing, (halves, splits) = timed(lambda: draw(moments, tags))
    print(f"drawing {COUNT} halves and {replicates.SPLITS} splits, once for all models: {drawing}")

    picking = timed(lambda: resample_picks(moments, texts, halves, options.workers))[0] * scale
    print(f"{COUNT} resamples x {HEADS} heads x 5 texts: {picking} (target: {RESAMPLES_SECONDS:.0f} s)")

    halving = timed(lambda: replicates.resample(moments, texts, halves, workers=options.workers))[0] * scale
    crossing = timed(lambda: cross(covariance, texts, splits, options.workers))[0] * scale
    print(f"one model of {HEADS} heads: {halving} of replicates, {crossing} of cross-fitting")
    six = drawing + (halving + crossing) * 6
    print(f"six models of {HEADS} heads: {six} (target: {SIX_MODELS_SECONDS:.0f} s on two cores)")
    return 0 if picking.wall <= RESAMPLES_SECONDS and six.wall <= SIX_MODELS_SECONDS else 1


def group_moments(covariance: Tensor, groups: int = 64, images: int = 100) -> Moments:
    """Returns moments of groups with the covariance `covariance` inside each and means scattered about 0."""
    generator = torch.Generator().manual_seed(1)
    heads, rank = covariance.shape[:2]
    mean = torch.randn(groups, heads, rank, generator=generator, dtype=torch.float64) / images**0.5
    second = images * covariance.expand(groups, -1, -1, -1)
    return Moments(torch.full((groups,), images), mean, second)


def draw(moments: Moments, tags: Tensor) -> tuple[resampling.Halves, Tensor]:
    halves = resampling.halves(moments.image_count, tags, count=COUNT, seed=0)
    return halves, resampling.splits(tags, count=replicates.SPLITS, seed=0)


def cross(covariance: Tensor, texts: replicates.Texts, splits: Tensor, workers: int) -> replicates.Crossed:
    return replicates.cross(
        covariance, texts, splits, crossed_rotations=rotation_controls.ROTATIONS, workers=workers
    )


def resample_picks(
    moments: Moments, texts: replicates.Texts, halves: resampling.Halves, workers: int
) -> list[Tensor]:
    """Computes 200 resamples x 5 texts: covariances, texts in the head's space, picks, labels."""

    def resample_head(head: int) -> Tensor:
        text = textspan.text_coordinates(texts.text, texts.basis[head]).float()
        covariance = resampling.covariances(moments.at(head), halves.groups).float()
        picks = textspan.many_picks(covariance, text, k=5, text_mask=halves.texts)
        return labels.leading(picks, texts.tags).property

    return textspan.each_head(resample_head, len(texts.basis), workers)


if __name__ == "__main__":
    sys.exit(main())
