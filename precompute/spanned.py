"""Spanned variance: what a head's texts span of what it writes, against random texts and the best directions.

Knows nothing of models or files: covariances, texts and picks in, numbers out.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from precompute.metrics import ModelMetric, mean
from precompute.types import TextSpan


def spanned_variance(
    span: TextSpan,
    covariance: Float[Tensor, "rank rank"],
    text: Float[Tensor, "text rank"],
    *,
    own_rank: int,
    picks: int = 60,
    draws: int = 10,
    seed: int = 0,
) -> float | None:
    """(V_k - V_random) / (V_PCA - V_random): 1 is the best any k directions can do, 0 what random texts do.

    V is the share of variance within the span of k texts; k as in `spanned_texts`, and no more than the
    `picks` that TEXTSPAN was asked for. None where random texts do as well as the best directions, so that
    there is nothing to measure. Our own formula, since raw V of any 60 texts is large. Higher is easier to
    interpret.
    """
    covariance, text = covariance.double(), text.double()
    total = covariance.diagonal().sum()
    k = min(spanned_texts(own_rank, len(text)), picks)
    if k == 0 or not total > 0 or len(span.text_index) == 0:
        return None

    chosen = float(span.cumulative_share[:k][-1])
    best = float(torch.linalg.eigvalsh(covariance)[-k:].sum() / total)
    random = _random_span(covariance, text, k, draws, seed) / float(total)
    return (chosen - random) / (best - random) if best - random > 1e-9 else None


def spanned_texts(own_rank: int, texts: int) -> int:
    """k of the spanned variance: 60, but no more than nine tenths of the head's dimensions or than the pool.

    As many texts as dimensions span everything, chosen or random.
    """
    return min(60, own_rank * 9 // 10, texts)


def span_metrics(spanned: Sequence[float | None], supported: Bool[Tensor, " head"]) -> list[ModelMetric]:
    """Mean spanned variance, over all and over supported heads that have one.

    Higher is easier to interpret.
    """
    known = [
        (value, own) for value, own in zip(spanned, supported.tolist(), strict=True) if value is not None
    ]
    return [
        ModelMetric("mean_spanned_variance", "all", mean([value for value, _ in known]), None),
        ModelMetric("mean_spanned_variance", "supported", mean([value for value, own in known if own]), None),
    ]


def _random_span(
    covariance: Float[Tensor, "rank rank"], text: Float[Tensor, "text rank"], k: int, draws: int, seed: int
) -> float:
    """Variance within the span of k texts, mean over random draws of them."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.stack([torch.randperm(len(text), generator=generator)[:k] for _ in range(draws)])
    drawn = text[rows]  # [draw, k, rank]
    size, direction = torch.linalg.eigh(drawn.mT @ drawn)
    within = size > 1e-12 * size[:, -1:]
    variance = (direction * (covariance @ direction)).sum(-2)  # [draw, rank]
    return float((variance * within).sum(-1).mean())
