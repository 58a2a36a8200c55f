"""Coverage of a model: how much of what varies in its embeddings its heads, MLPs and the rest account for.

Knows nothing of models or files: shares of components in, numbers out.
"""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from precompute.metrics import ModelMetric


def coverage_metrics(shares: Float[Tensor, " component"], kinds: Sequence[str]) -> list[ModelMetric]:
    """Σ of tr Cov(c, e) / tr Cov(e) over the components c of one kind: their share of the embedding's
    covariance. The four sum to 1. Only of the heads, what is taken apart, is higher easier to interpret.

    `kinds` says of each share whether it is of the input, of attention not taken apart, of a head or of an
    MLP.
    """
    total = {"head": 0.0, "attention": 0.0, "mlp": 0.0, "input": 0.0}
    for share, kind in zip(shares.tolist(), kinds, strict=True):
        total[kind] += share
    names = {"head": "heads", "attention": "attention", "mlp": "mlps", "input": "input"}
    return [ModelMetric(f"coverage_{names[kind]}", "all", value, None) for kind, value in total.items()]


def coverage_replicates(
    shares: Float[Tensor, "replicate component"], kinds: Sequence[str]
) -> dict[tuple[str, str], list[float | None]]:
    """`coverage_metrics` of every replicate, under metric and heads used; nothing without replicates."""
    found: dict[tuple[str, str], list[float | None]] = {}
    for one in shares:
        for own in coverage_metrics(one, kinds):
            found.setdefault((own.metric, own.heads_used), []).append(own.value)
    return found
