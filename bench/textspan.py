"""Time of TEXTSPAN over the heads of one large model, and of the rotated heads behind its labels.

`python -m bench.textspan` prints both for 64 heads, 3,500 texts, rank 72 and d_out 768. The target for the
first is 5 seconds on two cores. `--heads 384 --rotated-heads 384` is ViT-L-14 with all layers decomposed.
"""

import argparse
import os
from functools import partial

import torch
from torch import Tensor

from bench import argument_parser, timed
from precompute.method.textspan import rotated_heads, textspan_heads

TARGET_SECONDS = 5.0


def size_parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser with the sizes of `random_heads` and the number of workers."""
    parser = argument_parser(description)
    parser.add_argument("--heads", type=int, default=64)
    parser.add_argument("--texts", type=int, default=3500)
    parser.add_argument("--rank", type=int, default=72)
    parser.add_argument("--d-out", type=int, default=768)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser


def main() -> None:
    parser = size_parser(__doc__)
    parser.add_argument("--k", type=int, default=60)
    parser.add_argument("--rotations", type=int, default=199)
    parser.add_argument(
        "--rotated-heads", type=int, default=16, help="number of heads to time rotations on; 0 for none"
    )
    options = parser.parse_args()

    text, basis, covariance = random_heads(options.heads, options.texts, options.rank, options.d_out)
    spent, _ = timed(lambda: textspan_heads(covariance, text, basis, k=options.k, workers=options.workers))
    print(
        f"textspan: {options.heads} heads x {options.k} of {options.texts} texts, rank {options.rank}, "
        f"d_out {options.d_out}, {options.workers} workers: {spent.wall:.2f} s "
        f"(target: {TARGET_SECONDS:.0f} s for the defaults)"
    )

    count, rotations = min(options.rotated_heads, options.heads), options.rotations
    if count:
        own_rank, heads = torch.full((count,), options.rank), (covariance[:count], text, basis[:count])
        rotate = partial(rotated_heads, own_rank=own_rank, rotations=rotations, workers=options.workers)
        spent, _ = timed(lambda: rotate(*heads))
        print(f"rotated heads: {count} heads x {rotations} rotations x 20 texts: {spent.wall:.2f} s")


def random_heads(heads: int, texts: int, rank: int, d_out: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns unit texts in a cone, orthonormal bases, and covariances with a falling spectrum."""
    generator = torch.Generator().manual_seed(0)
    text = torch.nn.functional.normalize(torch.randn(texts, d_out, generator=generator) + 0.5, dim=1)
    basis = torch.linalg.qr(torch.randn(heads, d_out, rank, generator=generator)).Q.mT.contiguous()
    half = torch.randn(heads, rank, rank, generator=generator, dtype=torch.float64)
    half *= torch.logspace(0, -2, rank)
    return text, basis, half @ half.mT


if __name__ == "__main__":
    main()
