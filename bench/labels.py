"""Time of labels: texts of every head and of its 199 rotations, and the labels from both.

`python -m bench.labels` labels 64 heads of rank 72 over 3,500 texts of 40 properties, d_out 768, and scales
the time to 384 heads (six models of 64). The target is 5 minutes on two cores. Time is proportional to the
number of heads; `--heads 384` measures all of them. On a busy machine, divide processor time by the number of
cores.
"""

import sys

import torch
from torch import Tensor

from bench import timed
from bench.textspan import random_heads, size_parser
from precompute.method import labels, textspan

TARGET_SECONDS, TARGET_HEADS = 300.0, 384


def main() -> int:
    """Prints the time; the exit code is 0 if the target is met."""
    parser = size_parser(__doc__)
    parser.add_argument("--rotations", type=int, default=199)
    options = parser.parse_args()

    text, basis, covariance = random_heads(options.heads, options.texts, options.rank, options.d_out)
    spent, _ = timed(lambda: label(text, basis, covariance, options.rotations, options.workers))
    scaled = spent * (TARGET_HEADS / options.heads)
    print(
        f"labels: {options.heads} heads of rank {options.rank} x {options.rotations} rotations, "
        f"{options.texts} texts, d_out {options.d_out}, {options.workers} workers: {spent.wall:.1f} s, "
        f"{spent.processor:.1f} s of processor time"
    )
    print(
        f"scaled to {TARGET_HEADS} heads: {scaled.wall:.0f} s (target on two cores: {TARGET_SECONDS:.0f} s), "
        f"{scaled.processor:.0f} s of processor time"
    )
    return 0 if scaled.wall <= TARGET_SECONDS else 1


def label(text: Tensor, basis: Tensor, covariance: Tensor, rotations: int, workers: int) -> None:
    """Computes labels by variance share and by enrichment, as a run does."""
    tags = torch.nn.functional.one_hot(torch.arange(len(text)) % 40).bool()
    names = tuple(str(number) for number in range(40))
    k, heads = max(labels.PICKS), (covariance, text, basis)
    picks = textspan.picks(textspan.textspan_heads(*heads, workers=workers), k)
    own_rank = torch.full((len(basis),), basis.shape[1])
    rotated = textspan.rotated_heads(*heads, own_rank=own_rank, k=k, rotations=rotations, workers=workers)
    observed, null = (labels.leading(part.first(labels.SHOWN_PICKS), tags) for part in (picks, rotated))
    labels.labels_by_variance_share(observed, null, names, picks=labels.SHOWN_PICKS)
    for count in labels.PICKS:
        enriched, chance = (labels.enrich(part.first(count).text_index, tags) for part in (picks, rotated))
        labels.labels_by_enrichment(enriched, chance, names, picks=count)


if __name__ == "__main__":
    sys.exit(main())
