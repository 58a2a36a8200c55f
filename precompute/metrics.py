"""Metrics of heads and of models: how well single properties describe single heads.

Concept consistency (CCS): Madasu et al. 2025 (https://arxiv.org/abs/2503.11103). Entanglement and
association carry the names of Madasu et al. 2024 (https://arxiv.org/abs/2409.06579), whose own definitions
could not be read; each docstring says what is computed here.

Model metrics come in two kinds: over all heads, as in the papers, and over supported ones. Chance is the
same formula on the labels and texts of rotated heads, the set of supported heads kept.

Every name used here is explained in `glossary`. Knows nothing of models or files: labels, answers and
covariances in, numbers out.
"""

from collections import Counter
from collections.abc import Sequence
from math import comb
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from precompute.types import TextSpan

TEXTS_JUDGED = 5
HIGH, MODERATE, LOW = 5, 3, 1
"""CCS of a head that the paper calls high (exactly 5), moderate (exactly 3) and low (at most 1)."""


class ModelMetric(NamedTuple):
    """One row of the table `model_metric`, less the model."""

    metric: str
    heads_used: str
    """all or supported."""

    value: float | None
    chance: float | None
    """Mean over rotations of all heads; None where none is computed."""


def partners(labels: Sequence[str | int], supported: Sequence[bool] | None = None) -> list[int]:
    """p_h: number of other heads with the same label. An unsupported head partners nobody."""
    supported = supported if supported is not None else [True] * len(labels)
    count = Counter(label for label, counts in zip(labels, supported, strict=True) if counts)
    return [count[label] - 1 if counts else 0 for label, counts in zip(labels, supported, strict=True)]


def prefix_partners(labels: Sequence[str]) -> list[int]:
    """p_h where two labels match when one raw string begins the other.

    With this rule the uniqueness of the released labels is what a secondary source prints as published
    entanglement.
    """
    return [sum(one.startswith(other) or other.startswith(one) for other in labels) - 1 for one in labels]


def entanglement(partners: Sequence[int], m: int) -> float:
    """1 - (1/H) Σ_h C(H-1-p_h, m-1) / C(H-1, m-1), with p_h the partners of head h of H.

    The expected share of heads with a partner among m heads drawn at random: at m = H the plain share, at a
    common m comparable between models with different numbers of heads. In whole numbers until the end.
    """
    heads = len(partners)
    if not 1 <= m <= heads:
        raise ValueError(f"cannot draw m={m} heads from {heads}.")
    alone = sum(comb(heads - 1 - own, m - 1) for own in partners)
    return 1 - alone / (heads * comb(heads - 1, m - 1))


def uniqueness(partners: Sequence[int]) -> float:
    """1 - entanglement(H): the share of heads whose label no other head has."""
    return 1 - entanglement(partners, len(partners))


def ccs(consistent: Bool[Tensor, "*list position"]) -> Int[Tensor, "*list"]:
    """Concept consistency score, in-sample: how many of the first five texts agree with the label, 0 to 5."""
    return consistent[..., :TEXTS_JUDGED].sum(-1)


def association(ccs: Int[Tensor, "... head"], m: int) -> Float[Tensor, "..."]:
    """association@m: share of heads with CCS >= m."""
    return (ccs >= m).double().mean(-1)


def text_consistency(ccs: Int[Tensor, "... head"]) -> Float[Tensor, "..."]:
    """Mean CCS / 5: the share of judged texts that agree with their head's label."""
    return ccs.double().mean(-1) / TEXTS_JUDGED


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
    there is nothing to measure.
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


def label_metrics(
    label: Int[Tensor, " head"],
    rotated_label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    supported: Bool[Tensor, " head"],
    *,
    smallest: int,
) -> list[ModelMetric]:
    """Everything a model's labels and judgements say, over all and over supported heads, beside chance.

    `smallest` is the number of heads of the smallest model on the board. Chance has no value without
    rotations.
    """
    share = ModelMetric("supported_share", "all", float(supported.double().mean()), None)
    everyone = torch.ones_like(supported)
    return [
        share,
        *_label_metrics(label, rotated_label, ccs, rotated_ccs, everyone, "all", smallest),
        *_label_metrics(label, rotated_label, ccs, rotated_ccs, supported, "supported", smallest),
    ]


def span_metrics(spanned: Sequence[float | None], supported: Bool[Tensor, " head"]) -> list[ModelMetric]:
    """Mean spanned variance, over all and over supported heads that have one."""
    known = [
        (value, own) for value, own in zip(spanned, supported.tolist(), strict=True) if value is not None
    ]
    return [
        ModelMetric("mean_spanned_variance", "all", _mean([value for value, _ in known]), None),
        ModelMetric(
            "mean_spanned_variance", "supported", _mean([value for value, own in known if own]), None
        ),
    ]


def head_metrics(
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    spanned: Sequence[float | None],
    importance: Float[Tensor, " head"],
    share: Float[Tensor, " head"],
) -> dict[str, list[float | None]]:
    """Values for the table `head_metric`, head by head, under the metric's name."""
    rotated = rotated_ccs.double().mean(1).tolist() if rotated_ccs.shape[1] else [None] * len(ccs)
    return {
        "ccs": ccs.double().tolist(),
        "ccs_rotated": rotated,
        "spanned_variance": list(spanned),
        "importance": importance.tolist(),
        "coverage": share.tolist(),
    }


def coverage(shares: Float[Tensor, " component"], layers: int) -> list[ModelMetric]:
    """Share of the embedding's covariance by kind of component; `shares` stands as early, heads, MLPs."""
    parts = {
        "early": shares[:1],
        "heads": shares[1 : len(shares) - layers],
        "mlps": shares[len(shares) - layers :],
    }
    return [ModelMetric(f"coverage_{kind}", "all", float(part.sum()), None) for kind, part in parts.items()]


def _label_metrics(
    label: Int[Tensor, " head"],
    rotated_label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, " head"],
    rotated_ccs: Int[Tensor, "head rotation"],
    used: Bool[Tensor, " head"],
    heads_used: str,
    smallest: int,
) -> list[ModelMetric]:
    observed = _sharing(label, used, smallest) | _agreement(ccs[used])
    rotations = [
        _sharing(one, used, smallest) | _agreement(score[used])
        for one, score in zip(rotated_label.T, rotated_ccs.T, strict=True)
    ]
    return [
        ModelMetric(metric, heads_used, value, _mean([one[metric] for one in rotations]))
        for metric, value in observed.items()
    ]


def _sharing(
    label: Int[Tensor, " head"], used: Bool[Tensor, " head"], smallest: int
) -> dict[str, float | None]:
    own = partners(label.tolist(), used.tolist())
    return {
        "entanglement": entanglement(own, len(own)),
        "entanglement_smallest": entanglement(own, smallest),
        "entanglement_2": entanglement(own, 2) if len(own) > 1 else None,
        "uniqueness": uniqueness(own),
    }


def _agreement(ccs: Int[Tensor, " head"]) -> dict[str, float | None]:
    some = len(ccs) > 0
    return {
        **{
            f"association_{m}": float(association(ccs, m)) if some else None
            for m in range(1, TEXTS_JUDGED + 1)
        },
        "text_consistency": float(text_consistency(ccs)) if some else None,
        "ccs_high": float((ccs == HIGH).sum()),
        "ccs_moderate": float((ccs == MODERATE).sum()),
        "ccs_low": float((ccs <= LOW).sum()),
    }


def _mean(values: Sequence[float | None]) -> float | None:
    """Mean of what is defined; None where nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
